"""Stamps cut out of real scans: the ink of labelled stamps that nobody signed or initialled, freed of paper."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from services.trainer.dataset import LabelledBox
from services.trainer.synthesis.ink import Alpha, Colour, Ink
from services.trainer.synthesis.sheet import CLASSES, Pixels
from shared.domain.detection import Box

Values = NDArray[np.float32]
Corners = tuple[float, float, float, float]

SMALLEST_PX = (60, 20)
"""Width and height below which a crop carries too little detail to be enlarged onto a page."""
INKED = 0.2
"""Of the light that the paper gives back ink takes at least this share, in some channel."""
COLOURED = 0.12
"""Coloured ink takes so much more of one channel's light than of another's; print takes all alike."""
MOST_INKED = 0.6
"""A crop of which more is dark shows what the stamp was put on, too."""
TOWARDS_PRINT = 0.65
"""How far on the way from its own colour to that of print the ink of a stamp may lie."""
ROUND = (0.8, 1.25)
"""A stamp is round whose width is between these shares of its height."""


def unsigned_stamps(boxes: Sequence[LabelledBox]) -> list[LabelledBox]:
    """The stamps among a page's boxes that no signature and no initials touch: those must not be learned as stamps."""
    stamps = [box for box in boxes if box.kind == CLASSES["stamp"]]
    written = [box.corners(1, 1) for box in boxes if box.kind != CLASSES["stamp"]]
    return [stamp for stamp in stamps if not any(touch(stamp.corners(1, 1), other) for other in written)]


def touch(one: Corners, other: Corners) -> bool:
    """Whether two boxes of corners x0, y0, x1, y1 share a place."""
    return Box.of_corners(*one).touches(Box.of_corners(*other))


def stamp_of(crop: Pixels) -> Ink | None:
    """The stamp in a crop, RGB (h, w, 3); None where it cannot be told from what it was put on."""
    height, width = crop.shape[:2]
    if width < SMALLEST_PX[0] or height < SMALLEST_PX[1]:
        return None
    paper = np.percentile(crop.reshape(-1, 3), 85, axis=0).astype(np.float32)
    taken: Values = np.clip((paper - crop) / np.maximum(paper, 1), 0, 1).astype(np.float32)
    strength = taken.max(axis=2)
    inked = strength > INKED
    if not 0.01 < inked.mean() < MOST_INKED:
        return None
    coloured = np.asarray(inked & (strength - taken.min(axis=2) > COLOURED))
    if coloured.sum() > 0.3 * inked.sum():
        alpha = _of_colour(taken, coloured)
    else:
        alpha = strength / np.percentile(strength[inked], 80)
    return Ink(np.asarray(np.clip(alpha * 255, 0, 255), np.uint8), _colour(crop, strength, alpha > INKED))


def _of_colour(taken: Values, coloured: NDArray[np.bool_]) -> Values:
    """How much of the stamp's ink lies on each pixel: what takes light in its colour, without the print beside it."""
    tint = np.median(taken[coloured] / taken[coloured].max(axis=1, keepdims=True), axis=0)
    tint /= np.linalg.norm(tint)
    along = taken @ tint
    aside = np.linalg.norm(taken - along[..., None] * tint, axis=2)
    grey = float(tint.sum()) / np.sqrt(3)  # the cosine between the ink's colour and that of print
    nearer_ink = aside < np.tan(np.arccos(min(grey, 1.0))) * TOWARDS_PRINT * along
    return np.asarray(np.where(nearer_ink, along / np.percentile(along[coloured], 90), 0), np.float32)


def _colour(crop: Pixels, strength: Values, inked: NDArray[np.bool_]) -> Colour:
    darkest = np.asarray(inked & (strength >= np.percentile(strength[inked], 60)))
    red, green, blue = (int(value) for value in np.median(crop[darkest], axis=0))
    return red, green, blue


def is_round(stamp: Ink) -> bool:
    """Whether a stamp is about as wide as high."""
    width, height = stamp.size
    return ROUND[0] < width / height < ROUND[1]


def resized(stamp: Ink, width: int) -> Alpha:
    """A stamp's ink so many px wide, as alpha (h, w)."""
    height = max(8, round(stamp.size[1] * width / stamp.size[0]))
    method = cv2.INTER_AREA if width < stamp.size[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(stamp.alpha, (width, height), interpolation=method), np.uint8)
