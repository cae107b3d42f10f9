"""Where ink is on a page."""

import numpy as np
from PIL import Image, ImageFilter

from services.detector.yolo.arrays import Bools, Bytes


def inked(raster: Bytes, around: int, darker: int) -> Bools:
    """The pixels [height, width] of a raster [height, width, 3] that ink covers, however the light falls.

    Ink is darker than what lies within ``around`` pixels, by more than so many grey levels.
    """
    green = np.ascontiguousarray(raster[:, :, 1])  # in which pens of every colour but green are dark
    light = np.asarray(Image.fromarray(green).filter(ImageFilter.BoxBlur(around)), dtype=np.int16)
    return np.asarray(light - green > darker)
