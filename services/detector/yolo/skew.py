"""By how much a page lies askew, told by its lines of print.

Projection profiles (Postl 1986): seen along its lines, a page is rows of ink and rows of none; seen from any other
direction those run into one another.
"""

import numpy as np
from PIL import Image

from services.detector.yolo.arrays import Bytes, Floats
from shared.pages.ink import darkness

_LEAST = 3.0
"""Degrees from which on a page counts as askew: what lies straighter is found as it lies (docs/decisions/0016)."""

_MOST = 16.0
_COARSE, _FINE = 1.0, 0.25
_SIDE = 320  # px of the longer side at least, and less than twice as many: lines of print are apart still
_AROUND, _DARKER = 5, 14  # ink is darker than what lies within so many px, by so many grey levels
_FEWEST, _MOST_PLACES = 300, 4000
_SHARPEST = 3.0
"""How much sharper than in other directions rows have to be for the page to have lines of print."""


def skew(raster: Bytes) -> float:
    """Degrees by which a raster [height, width, 3] has to be turned to the left to lie straight.

    0 for a page that lies within 3 degrees of straight, by more than 16 askew, or without print to tell by.
    """
    places = _inked(raster)
    if len(places) < _FEWEST:
        return 0.0
    coarse = np.arange(-_MOST, _MOST + _COARSE, _COARSE, dtype=np.float32)
    sharpness = _sharpness(places, coarse)
    if sharpness.max() < _SHARPEST * np.median(sharpness):
        return 0.0
    near = coarse[sharpness.argmax()]
    fine = np.arange(near - _COARSE, near + _COARSE + _FINE, _FINE, dtype=np.float32)
    best = float(fine[_sharpness(places, fine).argmax()])
    return best if abs(best) >= _LEAST else 0.0


def _inked(raster: Bytes) -> Floats:
    """Where ink is: rows and columns [n, 2], not more than it takes to tell."""
    step = max(1, max(raster.shape[:2]) // _SIDE)
    green = Image.fromarray(np.ascontiguousarray(raster[::step, ::step, 1]))
    places = np.flatnonzero(np.asarray(darkness(green, _AROUND)) > _DARKER)
    if len(places) > _MOST_PLACES:
        places = np.random.default_rng(0).choice(places, _MOST_PLACES, replace=False)
    return np.stack(np.divmod(places, green.width), axis=1).astype(np.float32)


def _sharpness(places: Floats, degrees: Floats) -> Floats:
    """How unlike neighbouring rows are, seen along lines that fall to the right by so many degrees: for each [k]."""
    angles = np.deg2rad(degrees).astype(np.float32)[:, None]
    rows = np.cos(angles) * places[:, 0] - np.sin(angles) * places[:, 1]
    rows = (rows - rows.min()).astype(np.intp)
    count = int(rows.max()) + 1
    ink = np.bincount((rows + np.arange(len(rows))[:, None] * count).ravel(), minlength=len(rows) * count)
    return np.asarray((np.diff(ink.reshape(len(rows), count)).astype(np.float64) ** 2).sum(axis=1))
