"""Lays labelled pages out the way Ultralytics reads them, reduced once so that every epoch decodes little.

Pages are reduced by area (linear reduction loses thin ink) to a longer side of twice the input size: Ultralytics then
halves them itself, and halving by bilinear interpolation is exactly an area average.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from services.trainer.dataset import LabelledBox, LabelledPage
from shared.pages import raster
from shared.pages.fit import Fit, Side

HELD_OUT = "heldout"


def pack(pages: Iterable[LabelledPage], target: Path, long_side: int, held_out_share: float) -> Path:
    """Write images/, labels/ and data.yaml under target and return the path of data.yaml.

    The held-out part is taken from the same pages, whole groups at a time, for choices made during training.
    """
    pages = list(pages)
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        list(workers.map(lambda page: _pack_page(page, target, long_side, held_out_share), pages))
    names = {0: "signature"}
    description = {"path": str(target.resolve()), "train": "images/train", "val": f"images/{HELD_OUT}", "names": names}
    path = target / "data.yaml"
    path.write_text(json.dumps(description, indent=2))  # JSON is YAML
    return path


def is_held_out(group: str, share: float) -> bool:
    """Whether a group belongs to the held-out part: decided by its name alone, so the answer never changes."""
    digest = hashlib.sha256(group.encode()).digest()
    return int.from_bytes(digest[:4]) / 2**32 < share


def _pack_page(page: LabelledPage, target: Path, long_side: int, held_out_share: float) -> None:
    part = HELD_OUT if is_held_out(page.group, held_out_share) else "train"
    stem = f"{page.source}__{page.path.stem}"
    label = target / "labels" / part / f"{stem}.txt"
    image = target / "images" / part / f"{stem}.png"
    for path in (label, image):
        path.parent.mkdir(parents=True, exist_ok=True)
    label.write_text("".join(_label_line(box) for box in page.boxes))
    if not image.exists():
        reduce_page(page.path, long_side)[0].save(image, compress_level=1)


def _label_line(box: LabelledBox) -> str:
    return f"{box.kind} {box.cx:.6f} {box.cy:.6f} {box.width:.6f} {box.height:.6f}\n"


def reduce_page(path: Path, long_side: int) -> tuple[Image.Image, tuple[int, int]]:
    """Read a page as displayed, scaled as in production to the given longer side; also returns its full size."""
    with Image.open(path) as opened:
        image = raster.upright(opened, raster.orientation(opened))
        image.load()
    return raster.scaled(image, Fit(Side.LONGER, long_side).size(*image.size)), image.size
