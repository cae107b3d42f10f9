"""Where ink is on a page, however the light falls on it."""

from PIL import Image, ImageChops, ImageFilter


def darkness(green: Image.Image, around: float | tuple[float, float]) -> Image.Image:
    """By how many grey levels each pixel, mode L, is darker than what lies within ``around`` pixels of it.

    Of a page in colour give the green channel, in which pens of every colour but green are dark.
    """
    return ImageChops.subtract(green.filter(ImageFilter.BoxBlur(around)), green)
