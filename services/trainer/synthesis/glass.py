"""Two papers on one scan, or a small one by itself, as they lay on the scanner's glass or were copied onto a sheet."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from services.trainer.synthesis import wear
from services.trainer.synthesis.page import Box, SyntheticPage, drawn
from services.trainer.synthesis.sheet import Pixels

Rng = np.random.Generator

LARGEST_PX = 1800
"""The longer side of what comes out; of bilevel scans, which are sharper, half as much again."""
GAP = 0.0, 0.05
"""Between two papers, as a share of the side they have in common."""
SMALL = 0.45, 0.8
"""How wide a small paper is, as a share of the glass."""
DARK_LID, OPEN_BOOK = 0.15, 0.3
BLACK_BELOW = 140
"""A bilevel scan that was reduced is black where it is darker than this."""


@dataclass(frozen=True)
class _Laid:
    """A paper, where on the glass its upper left corner lies, in px, and how many times as large it is there."""

    paper: SyntheticPage
    left: float
    top: float
    scale: float


_Layout = tuple[list[_Laid], tuple[float, float]]
"""Papers, and how wide and high the glass is in px."""


def on_glass(first: SyntheticPage, another: Callable[[], SyntheticPage], rng: Rng) -> SyntheticPage:
    """Two papers on one scan, or a small first one by itself; what is known of the scan is what is of the first.

    The other paper is made when it is wanted. The scan is bilevel where all papers are. Other kinds than signatures are
    labelled where they are on all.
    """
    axis = drawn(rng, ((0, 0.55), (1, 0.2), (None, 0.25)))
    laid, size = _small_one(first, rng) if axis is None else _in_a_row(axis, first, another(), rng)
    bilevel = all(one.paper.pixels.ndim == 2 for one in laid)
    fit = min(1.0, LARGEST_PX * (1.5 if bilevel else 1.0) / max(size))
    laid = [_Laid(one.paper, one.left * fit, one.top * fit, one.scale * fit) for one in laid]
    only_signatures = any(one.paper.only_signatures for one in laid)
    boxes = tuple(
        (kind, _moved(box, one))
        for one in laid
        for kind, box in one.paper.boxes
        if kind == "signature" or not only_signatures
    )
    pixels = _scan(laid, (round(size[0] * fit), round(size[1] * fit)), bilevel, rng)
    return replace(first, pixels=pixels, boxes=boxes, only_signatures=only_signatures, shown_as="on_glass")


def _in_a_row(axis: int, first: SyntheticPage, second: SyntheticPage, rng: Rng) -> _Layout:
    """Side by side (axis 0) or one above the other (axis 1), the second made as high, or as wide, as the first."""
    size, other = ((one.pixels.shape[1], one.pixels.shape[0]) for one in (first, second))
    scale = size[1 - axis] / other[1 - axis]
    at = size[axis] + size[1 - axis] * rng.uniform(*GAP)
    end = at + other[axis] * scale
    if axis == 0:
        return [_Laid(first, 0, 0, 1.0), _Laid(second, at, 0, scale)], (end, size[1])
    return [_Laid(first, 0, 0, 1.0), _Laid(second, 0, at, scale)], (size[0], end)


def _small_one(first: SyntheticPage, rng: Rng) -> _Layout:
    """A slip, or part of a copy, pushed to an edge of the glass or anywhere."""
    high, wide = first.pixels.shape[:2]
    glass = np.array([1.0, 1.414] if rng.random() < 0.75 else [1.414, 1.0])
    size = glass * max(wide / rng.uniform(*SMALL) / glass[0], high / 0.95 / glass[1])
    free = (size - [wide, high]) * rng.choice([0.02, 0.98, float(rng.random())], 2)
    return [_Laid(first, float(free[0]), float(free[1]), 1.0)], (float(size[0]), float(size[1]))


def _moved(box: Box, laid: _Laid) -> Box:
    x0, y0, x1, y1 = (side * laid.scale for side in box)
    return x0 + laid.left, y0 + laid.top, x1 + laid.left, y1 + laid.top


def _scan(laid: list[_Laid], size: tuple[int, int], bilevel: bool, rng: Rng) -> Pixels:
    """The glass with the papers on it, under a white lid or a dark one."""
    dark = rng.random() < DARK_LID
    lid = (0 if dark else 255) if bilevel else int(rng.integers(0, 60) if dark else rng.integers(235, 256))
    scan = np.full((size[1], size[0]) if bilevel else (size[1], size[0], 3), lid, np.uint8)
    open_book = rng.random() < OPEN_BOOK
    for one in laid:
        pixels = one.paper.pixels
        if pixels.ndim == 2 and not bilevel:
            pixels = wear.as_colour(pixels)
        if open_book and not bilevel:
            pixels = wear.edge_shadow(pixels, rng)
        left, top = round(one.left), round(one.top)
        wide = min(size[0] - left, round(pixels.shape[1] * one.scale))
        high = min(size[1] - top, round(pixels.shape[0] * one.scale))
        seen = cv2.resize(pixels, (wide, high), interpolation=cv2.INTER_AREA if one.scale < 1 else cv2.INTER_LINEAR)
        scan[top : top + high, left : left + wide] = np.where(seen < BLACK_BELOW, 0, 255) if bilevel else seen
    return scan
