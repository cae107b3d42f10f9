"""Ink cut out of real scans: the train split's signatures and initials, freed of paper and print, and its stamps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.trainer.dataset import DatasetError, LabelledBox, read_pages
from services.trainer.splits import is_held_out
from services.trainer.synthesis.ink import Alpha, Ink
from services.trainer.synthesis.sheet import CLASSES
from services.trainer.synthesis.stamp_crops import stamp_of, unsigned_stamps
from shared.pages import raster

Grey = NDArray[np.uint8]

SMALLEST_PX = 60
"""Crops narrower than this carry too little detail to be enlarged onto a page."""
MOST_PIECES = 40
"""A box whose ink falls into more pieces than this holds print or dirt beside the signature."""


SMALL_SIGNATURES = 0.5
"""The share of real initials that are signatures made small, as some people initial, where there are initials."""


@dataclass(frozen=True)
class RealInk:
    """A library of real signatures as alpha patches (h, w), drawn from at random, of real initials and stamps."""

    patches: tuple[Alpha, ...]
    stamps: tuple[Ink, ...] = ()
    initials: tuple[Alpha, ...] = ()

    def draw(self, rng: np.random.Generator, box: tuple[float, float]) -> Alpha:
        """One signature reduced or enlarged to fit `box` (width, height in px), seldom mirrored in proportion."""
        return _fitted(self.patches, rng, box)

    def draw_initials(self, rng: np.random.Generator, box: tuple[float, float]) -> Alpha:
        """Likewise the initials of somebody, or a signature made small."""
        written_small = not self.initials or rng.random() < SMALL_SIGNATURES
        return _fitted(self.patches if written_small else self.initials, rng, box)


def _fitted(patches: Sequence[Alpha], rng: np.random.Generator, box: tuple[float, float]) -> Alpha:
    patch = patches[int(rng.integers(len(patches)))]
    height, width = patch.shape
    factor = min(box[0] / width, box[1] / height)
    size = (max(4, round(width * factor * rng.uniform(0.9, 1.1))), max(4, round(height * factor)))
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    drawn = cv2.resize(patch, size, interpolation=method)
    gain = float(np.clip(0.8 / factor, 1.0, 2.2))  # a pen does not write paler for writing smaller
    return np.asarray(cv2.convertScaleAbs(drawn, alpha=gain), np.uint8)


def real_ink(folder: Path, split: str = "train", held_out: float = 0.0) -> RealInk:
    """Cut every usable signature of one split out of a folder of labelled pages, its initials and every usable stamp.

    held_out is the share of groups that training keeps apart for choices: their ink must not be learned here.
    """
    signatures: list[Alpha] = []
    initials: list[Alpha] = []
    stamps: list[Ink] = []
    for page in read_pages(folder, split):
        if not page.boxes or is_held_out(page.group, held_out):
            continue
        scan = displayed(page.path)
        signatures += _written(scan, [box for box in page.boxes if box.kind == CLASSES["signature"]])
        initials += _written(scan, [box for box in page.boxes if box.kind == CLASSES["initials"]])
        crops = _cut(scan, "RGB", unsigned_stamps(page.boxes))
        stamps += [stamp for crop in crops if (stamp := stamp_of(crop)) is not None]
    if not signatures:
        raise DatasetError(f"no usable signature in the {split} split of {folder}")
    return RealInk(tuple(signatures), tuple(stamps), tuple(initials))


def displayed(path: Path) -> Image.Image:
    """A scan as displayed, which is how its boxes were drawn, in RGB."""
    with Image.open(path) as opened:
        return raster.upright(opened, raster.orientation(opened)).convert("RGB")


def _written(scan: Image.Image, boxes: Sequence[LabelledBox]) -> list[Alpha]:
    return [ink for crop in _cut(scan, "L", boxes) if (ink := ink_of(crop)) is not None]


def _cut(scan: Image.Image, mode: str, boxes: Sequence[LabelledBox]) -> Iterator[NDArray[np.uint8]]:
    if not boxes:
        return
    page = np.array(scan.convert(mode))
    for box in boxes:
        x0, y0, x1, y1 = map(round, box.corners(page.shape[1], page.shape[0]))
        yield page[max(y0, 0) : y1, max(x0, 0) : x1]


def ink_of(crop: Grey) -> Alpha | None:
    """The handwriting in a crop (h, w) as tight alpha; None where it cannot be told from print or paper."""
    found = parted_ink(crop)
    return None if found is None else _tight(found)


def parted_ink(crop: Grey) -> Alpha | None:
    """The handwriting in a crop (h, w) as alpha of the same size; None where it cannot be told from print or paper."""
    if crop.shape[1] < SMALLEST_PX or crop.shape[0] < SMALLEST_PX // 3:
        return None
    paper = float(np.percentile(crop, 90))
    dark = float(np.percentile(crop, 1))
    if paper - dark < 60:
        return None
    alpha = np.clip((paper - 12 - crop.astype(np.float32)) * (255.0 / (paper - 12 - dark)), 0, 255).astype(np.uint8)
    alpha = _without_rules(alpha)
    kept = _handwriting(np.asarray(alpha > 70, np.uint8))
    if kept is None:
        return None
    near = cv2.dilate(kept, np.ones((3, 3), np.uint8))
    return np.asarray(alpha * near, np.uint8)


def _without_rules(alpha: Alpha) -> Alpha:
    """Erase printed rules: dark runs along most of the crop's width."""
    length = int(alpha.shape[1] * 0.6)
    rules = cv2.morphologyEx(alpha, cv2.MORPH_OPEN, np.ones((1, max(length, 3)), np.uint8))
    return np.asarray(cv2.subtract(alpha, cv2.dilate(rules, np.ones((3, 1), np.uint8))), np.uint8)


def _handwriting(ink: Grey) -> Grey | None:
    """Keep the pieces of handwriting; None when print or a stamp makes up much of the crop."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    stats = stats[1:]
    if count < 2 or count > MOST_PIECES * 4:
        return None
    tall = stats[:, cv2.CC_STAT_HEIGHT] / ink.shape[0]
    large = (stats[:, cv2.CC_STAT_WIDTH] / ink.shape[1] > 0.25) | (tall > 0.38)
    printed = _printed(np.asarray(stats, np.int32), ink.shape[0]) & ~large
    small = ~large & ~printed & (tall > 0.04)
    area = stats[:, cv2.CC_STAT_AREA]
    written = int(area[large].sum())
    if not large.any() or area[printed].sum() > 0.4 * written or small.sum() > MOST_PIECES // 3:
        return None
    if written > 0.22 * ink.size:
        return None
    return np.asarray(np.isin(labels, 1 + np.flatnonzero(large | small)), np.uint8)


def _printed(stats: NDArray[np.int32], height: int) -> NDArray[np.bool_]:
    """Pieces that are letters of print: cut off by the crop's edge, or three and more of one size on one line."""
    top, high = stats[:, cv2.CC_STAT_TOP].astype(float), stats[:, cv2.CC_STAT_HEIGHT].astype(float)
    bottom = top + high
    at_edge = (top <= 1) | (bottom >= height - 1)
    slack = np.maximum(0.2 * high, 2.0)
    same_line = (np.abs(bottom[:, None] - bottom) < slack[:, None]) | (np.abs(top[:, None] - top) < slack[:, None])
    same_size = np.abs(high[:, None] - high) < np.maximum(0.45 * high, 2.0)[:, None]
    in_row = (same_line & same_size).sum(axis=1) >= 4
    return np.asarray(at_edge | in_row)


def _tight(alpha: Alpha) -> Alpha | None:
    found = cv2.findNonZero((alpha > 70).astype(np.uint8))
    if found is None:
        return None
    x, y, width, height = cv2.boundingRect(found)
    return np.ascontiguousarray(alpha[y : y + height, x : x + width])
