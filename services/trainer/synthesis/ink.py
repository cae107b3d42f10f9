"""Ink on paper: pen strokes rasterised with pressure, and ink put onto a page raster."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.trainer.synthesis.hand import Stroke

Alpha = NDArray[np.uint8]
Colour = tuple[int, int, int]

SUPERSAMPLING = 3
SUBPIXEL_BITS = 4
VISIBLE = 56
"""Alpha from which ink counts as seen when boxes are drawn: fainter edges vanish in any scan."""

BLACK_INKS: tuple[Colour, ...] = ((20, 20, 24), (35, 35, 40), (50, 48, 52), (28, 26, 40))
BLUE_INKS: tuple[Colour, ...] = (
    (25, 40, 130),
    (40, 60, 165),
    (20, 30, 95),
    (60, 85, 185),
    (45, 45, 120),
    (30, 75, 160),
)
ODD_INKS: tuple[Colour, ...] = ((20, 110, 80), (150, 30, 40), (95, 40, 120), (20, 120, 130), (90, 70, 60))


@dataclass(frozen=True)
class Ink:
    """A patch of ink: how much of it lies on each pixel, (height, width) 0..255, and its colour (RGB)."""

    alpha: Alpha
    colour: Colour

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in px."""
        return self.alpha.shape[1], self.alpha.shape[0]


def pen_colour(rng: np.random.Generator, blue: float = 0.5) -> Colour:
    """An ink as pens have them: blue with the chance given, sometimes green, red or violet, else black."""
    inks = ODD_INKS if rng.random() < 0.06 else BLUE_INKS if rng.random() < blue else BLACK_INKS
    base = np.array(inks[int(rng.integers(len(inks)))]) + rng.integers(-10, 25, 3)
    red, green, blue_ = (int(value) for value in np.clip(base, 0, 215))
    return red, green, blue_


def rasterise(strokes: list[Stroke], box: tuple[float, float], nib: float, opacity: float = 1.0) -> Alpha:
    """Draw strokes as large as fits `box` (width, height in px) with a nib that wide (px); returns tight alpha."""
    points = np.concatenate([stroke.points for stroke in strokes])
    low, high = points.min(axis=0), points.max(axis=0)
    scale = float(min(np.array(box) / np.maximum(high - low, 0.3)))
    return rasterise_at(strokes, scale, nib, opacity)


def rasterise_at(strokes: list[Stroke], scale: float, nib: float, opacity: float = 1.0) -> Alpha:
    """Draw strokes at `scale` px an x-height; the result is cut to the ink's extent plus the nib."""
    points = np.concatenate([stroke.points for stroke in strokes])
    low, high = points.min(axis=0), points.max(axis=0)
    margin = nib + 1.0
    width, height = ((high - low) * scale + 2 * margin + 1).astype(int)
    canvas = np.zeros((int(height) * SUPERSAMPLING, int(width) * SUPERSAMPLING), np.uint8)
    for stroke in strokes:
        flipped = np.stack([stroke.points[:, 0] - low[0], high[1] - stroke.points[:, 1]], 1)
        _trace(canvas, (flipped * scale + margin) * SUPERSAMPLING, stroke.pressure, nib * SUPERSAMPLING)
    reduced = cv2.resize(canvas, (int(width), int(height)), interpolation=cv2.INTER_AREA)
    return np.asarray(reduced * opacity, np.uint8) if opacity < 1.0 else np.asarray(reduced, np.uint8)


def _trace(canvas: Alpha, path: NDArray[np.float64], pressure: NDArray[np.float64], nib: float) -> None:
    """Short runs of equal width: as fine as the eye sees, far quicker than one call a segment."""
    fixed = np.round(path * (1 << SUBPIXEL_BITS)).astype(np.int32)
    widths = np.maximum(1, np.round(nib * (0.45 + 0.55 * pressure))).astype(int)
    darkness = np.clip(255 * (0.65 + 0.45 * pressure), 90, 255).astype(int)
    run = 4
    for start in range(0, len(fixed) - 1, run):
        piece = fixed[start : start + run + 1]
        cv2.polylines(canvas, [piece], False, int(darkness[start]), int(widths[start]), cv2.LINE_AA, SUBPIXEL_BITS)


def lay_ink(page: NDArray[np.uint8], ink: Ink, left: int, top: int) -> None:
    """Put ink onto an RGB page in place, darkening what lies under it, cut off at the page edge."""
    height, width = page.shape[:2]
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + ink.size[0], width), min(top + ink.size[1], height)
    if x0 >= x1 or y0 >= y1:
        return
    alpha = ink.alpha[y0 - top : y1 - top, x0 - left : x1 - left].astype(np.float32)[..., None] / 255.0
    region = page[y0:y1, x0:x1].astype(np.float32)
    passed = 1.0 - alpha * (1.0 - np.array(ink.colour, np.float32) / 255.0)
    page[y0:y1, x0:x1] = (region * passed).astype(np.uint8)


def outline(alpha: Alpha) -> NDArray[np.float32]:
    """Convex outline (n, 2) of the visible ink in patch pixels; empty when nothing is visible."""
    found = cv2.findNonZero((alpha >= VISIBLE).astype(np.uint8))
    if found is None:
        return np.zeros((0, 2), np.float32)
    return np.asarray(cv2.convexHull(found)[:, 0, :], np.float32)


def inked_places(alpha: Alpha, most: int = 150) -> NDArray[np.float32]:
    """Up to `most` places (n, 2) spread over the visible ink, by which to tell later whether a scan kept it."""
    rows, columns = np.nonzero(alpha >= VISIBLE)
    step = max(1, len(rows) // most)
    return np.stack([columns[::step], rows[::step]], 1).astype(np.float32)
