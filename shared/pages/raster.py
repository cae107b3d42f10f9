"""Scale decoded pictures to what the model or a screen wants: greyscale stays greyscale, alpha lies on white paper."""

from typing import cast

from PIL import ExifTags, Image

_REDUCING_GAP = 1.5
"""Average whole blocks of pixels first, which is fast, but leave at least this ratio to the filter, which is exact."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = (5, 6, 7, 8)
_AVERAGEABLE = ("L", "RGB", "RGBX", "CMYK", "YCbCr", "LA", "RGBA", "I", "F")
_SIXTEEN_BIT_WHITE = 65535


def orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 (upright) to 8. Unreadable EXIF is no reason to refuse a page: it counts as upright."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:
        return 1
    return value if value in _TURNS else 1


def is_sideways(turn: int) -> bool:
    """Whether this orientation swaps width and height."""
    return turn in _SIDEWAYS


def upright(image: Image.Image, turn: int) -> Image.Image:
    """The picture as displayed."""
    return image.transpose(_TURNS[turn]) if turn in _TURNS else image


def scaled(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Any decoded picture as mode L or RGB at ``size``, each pixel the average of those it stands for."""
    sixteen_bit = image.mode.startswith("I;16")
    small = _resized(_averageable(image), size)
    if small.mode in ("LA", "RGBA"):
        return _on_white(small)
    if small.mode in ("I", "F"):
        return _eight_bit(small, _SIXTEEN_BIT_WHITE if sixteen_bit else None)
    return small if small.mode in ("L", "RGB") else small.convert("RGB")


def _averageable(image: Image.Image) -> Image.Image:
    """The picture in a mode whose values may be averaged (palette indices and hues may not)."""
    if image.mode.startswith("I;16"):
        return _sixteen_bits_on_white(image)
    if image.has_transparency_data:
        return image.convert("LA" if image.mode in ("1", "L", "LA", "La") else "RGBA")
    if image.mode in _AVERAGEABLE:
        return image
    if image.mode == "1":
        return image.convert("L")
    return image.convert("RGB")


def _sixteen_bits_on_white(image: Image.Image) -> Image.Image:
    """Mode I. Pillow's alpha is for 8 bits only, so the one value a PNG may call transparent is painted white."""
    deep = image.convert("I")
    transparent = image.info.get("transparency")
    if transparent is not None:
        is_transparent = [255 * (value == transparent) for value in range(_SIXTEEN_BIT_WHITE + 1)]
        deep.paste(_SIXTEEN_BIT_WHITE, mask=deep.point(is_transparent, "L"))
    return deep


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    if image.size == size:
        return image
    if size[0] > image.width or size[1] > image.height:
        return image.resize(size, Image.Resampling.BILINEAR)
    # Not Pillow's BOX, which counts a pixel as in or out: Hamming is three times nearer to true area averages.
    return image.resize(size, Image.Resampling.HAMMING, reducing_gap=_REDUCING_GAP)


def _on_white(image: Image.Image) -> Image.Image:
    paper = Image.new("L" if image.mode == "LA" else "RGB", image.size, "white")
    paper.paste(image.convert(paper.mode), mask=image.getchannel("A"))
    return paper


def _eight_bit(image: Image.Image, white: float | None) -> Image.Image:
    """Deep greys to 8 bits. Without a known ``white`` the values themselves tell the scale they were written in."""
    low, high = cast(tuple[float, float], image.getextrema())
    tops = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
    white = white or next((top for top in tops if low >= 0 and high <= top), None)
    if not white and low == high:
        return Image.new("L", image.size, "white")  # one value of a scale nobody knows: a blank page
    base, span = (0.0, white) if white else (low, high - low)
    return image.convert("F").point(lambda value: value * (255.0 / span) - base * 255.0 / span).convert("L")
