"""Close-ups: of a page only the place that was signed, or some other part, as people photograph it or cut it out."""

from dataclasses import replace

import numpy as np

from services.trainer.synthesis.page import Box, SyntheticPage
from shared.domain.labels import KINDS

Part = tuple[int, int, int, int]

WIDE, HIGH = (0.3, 0.85), (0.2, 0.6)
"""Shares of the page's width and height that are shown."""
TRIES = 40


def close_up(page: SyntheticPage, rng: np.random.Generator) -> SyntheticPage:
    """A part of a page, with one of its signatures if it has any, that cuts through no mark of those labelled.

    Where chance finds no such part the page stays as it is.
    """
    height, width = page.pixels.shape[:2]
    marks = [box for kind, box in page.boxes if kind in KINDS]
    for _ in range(TRIES):
        size = round(width * rng.uniform(*WIDE)), round(height * rng.uniform(*HIGH))
        part = _part_with(page.signatures, size, (width, height), rng)
        if part and not any(_is_cut(mark, part) for mark in marks):
            return _cut_out(page, part)
    return page


def _part_with(
    signatures: tuple[Box, ...], size: tuple[int, int], page: tuple[int, int], rng: np.random.Generator
) -> Part | None:
    """A part of that size that shows all of one signature, somewhere in it; None where that is larger."""
    x0, y0, x1, y1 = signatures[int(rng.integers(len(signatures)))] if signatures else (*page, 0.0, 0.0)
    lowest = np.maximum(0, [x1 - size[0], y1 - size[1]])
    highest = np.minimum([x0, y0], np.subtract(page, size))
    if (lowest > highest).any():
        return None
    left, top = rng.uniform(lowest, highest).round().astype(int).tolist()
    return left, top, left + size[0], top + size[1]


def _is_cut(box: Box, part: Part) -> bool:
    inside = _share_inside(box, part)
    return 0 < inside < 0.99


def _share_inside(box: Box, part: Part) -> float:
    x0, y0, x1, y1 = box
    wide, high = min(x1, part[2]) - max(x0, part[0]), min(y1, part[3]) - max(y0, part[1])
    return max(0.0, wide) * max(0.0, high) / max((x1 - x0) * (y1 - y0), 1e-9)


def _cut_out(page: SyntheticPage, part: Part) -> SyntheticPage:
    left, top, right, bottom = part
    boxes = tuple(
        (kind, (max(x0, left) - left, max(y0, top) - top, min(x1, right) - left, min(y1, bottom) - top))
        for kind, (x0, y0, x1, y1) in page.boxes
        if _share_inside((x0, y0, x1, y1), part) >= 0.5
    )
    return replace(
        page, pixels=np.ascontiguousarray(page.pixels[top:bottom, left:right]), boxes=boxes, shown_as="close_up"
    )
