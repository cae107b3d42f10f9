"""Lays labelled pages out the way Ultralytics reads them, reduced once so that every epoch decodes little.

Pages are reduced to the input size by production's own code: what the network is trained on is what it will be given.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from services.trainer.dataset import DatasetError, LabelledBox, LabelledPage
from services.trainer.halving import strips
from services.trainer.partial_labels import FULLY_LABELLED
from services.trainer.splits import is_held_out
from shared.domain.labels import ALL_KINDS, KINDS, SIGNATURES_ONLY
from shared.pages import raster
from shared.pages.fit import Fit
from shared.processor import usable_cores

HELD_OUT = "heldout"
_WATCHED = 80  # pages that training reports on when none is held out; each costs a run a tenth of a second an epoch
HELD_OUT_SHARE = 0.1
"""Share of the train split's groups kept for choices, unless said otherwise: nothing is learned from them."""


@dataclass(frozen=True)
class Packing:
    """How pages are packed.

    long_side is in pixels, and so is widest: how wide a page may be that is wider than high. One wider than long_side
    is packed as two halves. kinds is how many of KINDS are learned, repeat how often a page that is not extra is seen
    in one epoch. Where nothing is held out (a share of 0, or few groups), every page is trained on, and what training
    reports of itself is measured on some of the same pages: that the network learns, not how well.
    """

    target: Path
    long_side: int
    held_out_share: float
    kinds: int = 1
    repeat: int = 1
    widest: int = 0

    @property
    def fit(self) -> Fit:
        """How large a page is packed, both halves together."""
        return Fit(max(self.long_side, self.widest), self.long_side)


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
        given = _together(
            workers.map(lambda page: _pack_page(page, packing, _part(page, packing), _prefix(page)), pages)
        )
        made = _together(workers.map(lambda page: _pack_page(page, packing, "train", _extra_prefix(page)), extra))
    trained = [path for path in given if path.parent.name == "train"]
    held_out = [path for path in given if path.parent.name == HELD_OUT]
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


def _together(pages: Iterable[list[Path]]) -> list[Path]:
    return list(chain.from_iterable(pages))


def _pack_page(page: LabelledPage, packing: Packing, part: str, prefix: str) -> list[Path]:
    """Write a page, in halves where it is wide, with its labels, unless it lies there; returns the images."""
    stem = f"{prefix}{page.source}__{page.path.stem}__{_content(page, packing)}"
    cuts = strips(packing.fit.size(*_displayed_size(page.path))[0], packing.long_side)
    images = [packing.target / "images" / part / f"{stem}-{number}.png" for number in range(len(cuts))]
    for image, strip in zip(images, cuts, strict=True):
        label = label_of(image)
        for path in (label, image):
            path.parent.mkdir(parents=True, exist_ok=True)
        label.write_text("".join(_label_line(box) for box in strip.seen(page.boxes) if box.kind < packing.kinds))
    if not all(image.exists() for image in images):
        reduced, _ = reduce_page(page.path, packing.fit)
        for image, strip in zip(images, cuts, strict=True):
            unfinished = image.with_suffix(".part")
            reduced.crop((strip.left, 0, strip.right, reduced.height)).save(unfinished, "PNG", compress_level=1)
            unfinished.replace(image)
    return images


def _displayed_size(file: Path) -> tuple[int, int]:
    with Image.open(file) as opened:
        sideways = raster.is_sideways(raster.orientation(opened))
        return opened.size[::-1] if sideways else opened.size


def _content(page: LabelledPage, packing: Packing) -> str:
    """Tells apart pages of one name, and what was packed before a page was drawn anew or in another size."""
    file = page.path.stat()
    pinned = f"{page.path.resolve()} {file.st_size} {file.st_mtime_ns} {packing.fit}"
    return hashlib.sha256(pinned.encode()).hexdigest()[:12]


def _label_line(box: LabelledBox) -> str:
    return f"{box.kind} {box.cx:.6f} {box.cy:.6f} {box.width:.6f} {box.height:.6f}\n"


def reduce_page(file: Path | BinaryIO, fit: Fit) -> tuple[Image.Image, tuple[int, int]]:
    """Read a page as displayed, scaled as in production to the given size; also returns its full size."""
    with Image.open(file) as opened:
        image = raster.upright(opened, raster.orientation(opened))
        image.load()
    return raster.scaled(image, fit.size(*image.size)), image.size
