"""Lays labelled pages out the way Ultralytics reads them, reduced once so that every epoch decodes little.

Pages are reduced to the input size by production's own code: what the network is trained on is what it will be given.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from services.trainer.dataset import DatasetError, LabelledBox, LabelledPage
from services.trainer.partial_labels import FULLY_LABELLED
from services.trainer.splits import is_held_out
from shared.domain.fit import Fit
from shared.domain.labels import ALL_KINDS, KINDS, SIGNATURES_ONLY
from shared.pages import raster
from shared.processor import usable_cores

HELD_OUT = "heldout"
_WATCHED = 80  # pages that training reports on when none is held out; each costs a run a tenth of a second an epoch
HELD_OUT_SHARE = 0.1
"""Share of the train split's groups kept for choices, unless said otherwise: nothing is learned from them."""


@dataclass(frozen=True)
class Packing:
    """How pages are packed.

    long_side is in pixels, kinds is how many of KINDS are learned, repeat how often a page that is not extra is seen in
    one epoch. Where nothing is held out (a share of 0, or few groups), every page is trained on, and what training
    reports of itself is measured on some of the same pages: that the network learns, not how well.
    """

    target: Path
    long_side: int
    held_out_share: float
    kinds: int = 1
    repeat: int = 1


def pack(pages: Sequence[LabelledPage], extra: Sequence[LabelledPage], packing: Packing) -> Path:
    """Write images, labels, lists of the pages and data.yaml under the target; returns data.yaml's path.

    The held-out part is taken from pages, whole groups at a time, for choices made during training. These are labelled
    for signatures only, the extra ones for every kind, unless tagged otherwise; the extra ones are all trained on.

    DatasetError: every page would be held out.
    """
    if not extra and all(_part(page, packing) == HELD_OUT for page in pages):
        raise DatasetError(
            "Every group of the pages is held out, and none is left to train on: give more of them, or --held-out 0."
        )
    with ThreadPoolExecutor(usable_cores()) as workers:
        real = list(workers.map(lambda page: _pack_page(page, packing, _part(page, packing), _prefix(page)), pages))
        made = list(workers.map(lambda page: _pack_page(page, packing, "train", _extra_prefix(page)), extra))
    trained = [path for path in real if path.parent.name == "train"]
    held_out = [path for path in real if path.parent.name == HELD_OUT]
    description = {
        "path": str(packing.target.resolve()),
        "train": _listing(packing.target / "train.txt", trained * packing.repeat + made),
        "val": _listing(packing.target / "val.txt", held_out or _some_of(trained or made)),
        "names": dict(enumerate(KINDS[: packing.kinds])),
    }
    path = packing.target / "data.yaml"
    path.write_text(json.dumps(description, indent=2))  # JSON is YAML
    return path


def _listing(target: Path, images: Sequence[Path]) -> str:
    target.write_text("".join(f"{path.resolve()}\n" for path in images))
    return str(target.resolve())


def listed(listing: Path) -> list[Path]:
    """The pages that a list names, each once."""
    return [Path(line) for line in sorted(set(listing.read_text().splitlines()))]


def label_of(image: Path) -> Path:
    """The label file of a packed page."""
    return image.parents[2] / "labels" / image.parent.name / f"{image.stem}.txt"


def _some_of(images: Sequence[Path]) -> Sequence[Path]:
    return images[:: max(1, len(images) // _WATCHED)]


def _part(page: LabelledPage, packing: Packing) -> str:
    return HELD_OUT if is_held_out(page.group, packing.held_out_share) else "train"


def _prefix(page: LabelledPage) -> str:
    return FULLY_LABELLED if ALL_KINDS in page.tags else ""


def _extra_prefix(page: LabelledPage) -> str:
    return "" if SIGNATURES_ONLY in page.tags else FULLY_LABELLED


def _pack_page(page: LabelledPage, packing: Packing, part: str, prefix: str) -> Path:
    stem = f"{prefix}{page.source}__{page.path.stem}__{_content(page, packing)}"
    image = packing.target / "images" / part / f"{stem}.png"
    label = label_of(image)
    for path in (label, image):
        path.parent.mkdir(parents=True, exist_ok=True)
    label.write_text("".join(label_line(box) for box in page.boxes if box.kind < packing.kinds))
    if not image.exists():
        unfinished = image.with_suffix(".part")
        reduce_page(page.path, packing.long_side)[0].save(unfinished, "PNG", compress_level=1)
        unfinished.replace(image)
    return image


def _content(page: LabelledPage, packing: Packing) -> str:
    """Tells apart pages of one name, and what was packed before a page was drawn anew or in another size."""
    file = page.path.stat()
    pinned = f"{page.path.resolve()} {file.st_size} {file.st_mtime_ns} {packing.long_side}"
    return hashlib.sha256(pinned.encode()).hexdigest()[:12]


def label_line(box: LabelledBox) -> str:
    """A box as a label file has it."""
    return f"{box.kind} {box.cx:.6f} {box.cy:.6f} {box.width:.6f} {box.height:.6f}\n"


def reduce_page(file: Path | BinaryIO, long_side: int) -> tuple[Image.Image, tuple[int, int]]:
    """Read a page as displayed, scaled as in production to the given longer side; also returns its full size."""
    with Image.open(file) as opened:
        image = raster.upright(opened, raster.orientation(opened))
        image.load()
    return raster.scaled(image, Fit(long_side, long_side).size(*image.size)), image.size
