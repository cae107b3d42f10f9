"""Takes the ink of real signatures off their pages, so that the place can be signed by others."""

from dataclasses import dataclass

import cv2
import numpy as np

from services.trainer.synthesis import wear
from services.trainer.synthesis.crops import parted_ink
from services.trainer.synthesis.ink import Colour
from services.trainer.synthesis.page import Box
from services.trainer.synthesis.sheet import Pixels


@dataclass(frozen=True)
class Place:
    """Where somebody signed, in px of the page, and the colour of the pen."""

    box: Box
    colour: Colour


def erased(pixels: Pixels, box: Box, bilevel: bool) -> Place | None:
    """Take the handwriting in a box off the page, in place; None, and nothing done, where it is mixed with print."""
    height, width = pixels.shape[:2]
    x0, y0, x1, y1 = (round(side) for side in box)
    pad = 2 + round(0.02 * (x1 - x0))
    region = np.s_[max(0, y0 - pad) : min(height, y1 + pad), max(0, x0 - pad) : min(width, x1 + pad)]
    ink = parted_ink(wear.grey(np.ascontiguousarray(pixels[region])))
    if ink is None:
        return None
    solid = ink > 150
    colour = tuple(int(value) for value in np.median(pixels[region][solid], axis=0)) if solid.any() else (20, 20, 24)
    reach = max(3, round(0.006 * max(height, width)))
    gone = cv2.dilate((ink > 40).astype(np.uint8), np.ones((reach, reach), np.uint8))
    if bilevel:
        pixels[region][gone > 0] = 255
    else:
        pixels[region] = cv2.inpaint(np.ascontiguousarray(pixels[region]), gone, 4, cv2.INPAINT_TELEA)
    return Place(box, (colour[0], colour[1], colour[2]))
