"""Colour, grey or bilevel: what a page's picture holds. Runs inside a renderer child, on the page just decoded.

- Colour: one pixel in 5000 of the scaled picture (a small signature in blue ink) has channels further apart than the
  chroma noise of a JPEG. Averaging has removed single coloured specks by then. Yellowed paper scanned in colour counts.
- Bilevel: stored with one bit a pixel, or nothing between black and white but at edges that were smoothed in drawing.
- Grey: everything else.
"""

from PIL import Image, ImageChops

from shared.domain.detection import Tone

_COLOURFUL = 24  # difference of a pixel's channels, of 255
_COLOUR_SHARE = 1 / 5000
_BLACK, _WHITE = 32, 223
_STORED_BETWEEN_SHARE = 0.002
_DRAWN_BETWEEN_SHARE = 0.1
_FLAT_MODES = ("L", "P", "RGB", "RGBX", "LA", "RGBA")


def stored_tone(stored: Image.Image, scaled: Image.Image) -> Tone:
    """Of a picture as it was stored, and the same scaled (mode L or RGB) by averaging."""
    if is_colourful(scaled):
        return Tone.COLOUR
    if stored.mode == "1":
        return Tone.BILEVEL
    if stored.mode not in _FLAT_MODES:
        return Tone.GREY
    return Tone.BILEVEL if _between_share(stored, scaled.size) <= _STORED_BETWEEN_SHARE else Tone.GREY


def drawn_tone(drawn: Image.Image, scaled: Image.Image, *, from_shades: bool) -> Tone:
    """Of a page that was drawn, its edges smoothed; ``from_shades`` when it shows an image of more than one bit."""
    if is_colourful(scaled):
        return Tone.COLOUR
    if from_shades or _between_share(drawn, scaled.size) > _DRAWN_BETWEEN_SHARE:
        return Tone.GREY
    return Tone.BILEVEL


def is_colourful(scaled: Image.Image) -> bool:
    """Whether a picture, scaled (mode L or RGB) by averaging, has colours."""
    if scaled.mode != "RGB":
        return False
    red, green, blue = scaled.split()
    highest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    lowest = ImageChops.darker(ImageChops.darker(red, green), blue)
    counts = ImageChops.subtract(highest, lowest).histogram()
    return sum(counts[_COLOURFUL + 1 :]) > scaled.width * scaled.height * _COLOUR_SHARE


def _between_share(image: Image.Image, size: tuple[int, int]) -> float:
    """Share of pixels that are neither black nor white, among as many as ``size`` holds, picked and not averaged."""
    counts = image.resize(size, Image.Resampling.NEAREST).convert("L").histogram()
    return sum(counts[_BLACK : _WHITE + 1]) / (size[0] * size[1])
