"""PNG, JPEG and WebP: one page each. Runs only inside a renderer child, for the files are hostile."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageFile, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from shared.domain.fit import Fit
from shared.pages import raster
from shared.pages.document import DrawnPage, check_page_pixels, decoding, truncated
from shared.pages.limits import RenderLimits
from shared.pages.png_structure import check_chunks
from shared.pages.print_size import legible
from shared.pages.tone import stored_tone

# Straight to the plugin: Image.open would import every format Pillow knows, and try JPEG's multi-picture variants.
_OPENERS: dict[str, Callable[[BinaryIO], ImageFile.ImageFile]] = {
    "image/jpeg": JpegImagePlugin.JpegImageFile,
    "image/png": PngImagePlugin.PngImageFile,
    "image/webp": WebPImagePlugin.WebPImageFile,
}
_JPEG_END = b"\xff\xd9"
_TAIL_BYTES = 4096
_WEBP_HEAD_BYTES = 30
_WEBP_SIDE = 0x3FFF  # the bits of a width or a height, except in the extended form

Image.MAX_IMAGE_PIXELS = None  # each page's declared size is checked against the caller's own limit instead


class ImageDocument:
    """One picture; of an animation, the first."""

    def __init__(self, path: Path, media_type: str, limits: RenderLimits) -> None:
        self._file = path.open("rb")
        self._media_type = media_type
        self._limits = limits
        if media_type == "image/webp":
            _check_webp(self._file, limits)
        if media_type == "image/png":
            check_chunks(self._file)
        self._image = self._opened()
        self._width = self._image.width

    def __len__(self) -> int:
        return 1

    def draw(self, number: int, fit: Fit) -> DrawnPage:
        """The picture, turned upright, scaled to ``fit``."""
        image = self._image
        check_page_pixels(number, *image.size, self._limits)
        if isinstance(image, PngImagePlugin.PngImageFile):
            with decoding("The image", self._is_cut_short):
                _load_png(image)
        turn = raster.orientation(image)
        width, height = image.size[::-1] if raster.is_sideways(turn) else image.size
        scaled, small_print = legible(lambda fit: self._upright(turn, fit.size(width, height)), fit)
        return DrawnPage(number, width, height, scaled, stored_tone(self._image, scaled), small_print)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _opened(self) -> ImageFile.ImageFile:
        self._file.seek(0)
        with decoding("The image", self._is_cut_short):
            return _OPENERS[self._media_type](self._file)

    def _upright(self, turn: int, size: tuple[int, int]) -> Image.Image:
        """The picture turned upright, at that size."""
        stored_size = size[::-1] if raster.is_sideways(turn) else size
        self._load(stored_size)
        return raster.upright(raster.scaled(self._image, stored_size), turn)

    def _load(self, size: tuple[int, int]) -> None:
        """Decode the picture; of a JPEG not more than that size takes."""
        if self._image.width < min(size[0], self._width):  # it was decoded for less
            self._image = self._opened()
        with decoding("The image", self._is_cut_short):
            if isinstance(self._image, JpegImagePlugin.JpegImageFile):
                self._image.draft(self._image.mode, size)
            self._image.load()

    def _is_cut_short(self) -> bool:
        """Whether a JPEG lacks its end; the other formats' lengths have been checked before."""
        size = self._file.seek(0, os.SEEK_END)
        self._file.seek(max(0, size - _TAIL_BYTES))
        return self._media_type == "image/jpeg" and _JPEG_END not in self._file.read()


def _check_webp(file: BinaryIO, limits: RenderLimits) -> None:
    """WebP's decoder allocates the whole canvas on opening, so look at the header before it does."""
    head = file.read(_WEBP_HEAD_BYTES)
    if int.from_bytes(head[4:8], "little") + 8 > file.seek(0, os.SEEK_END):
        raise truncated("The image")
    file.seek(0)
    check_page_pixels(1, *_webp_size(head), limits)


def _webp_size(head: bytes) -> tuple[int, int]:
    """Width and height in pixels that the head declares; 1 x 1 of what is no picture, which the decoder refuses."""

    def number(start: int, count: int) -> int:
        return int.from_bytes(head[start : start + count], "little")

    match head[12:16]:
        case b"VP8X":
            return 1 + number(24, 3), 1 + number(27, 3)
        case b"VP8L":
            return 1 + (number(21, 4) & _WEBP_SIDE), 1 + (number(21, 4) >> 14 & _WEBP_SIDE)
        case b"VP8 ":
            return number(26, 2) & _WEBP_SIDE, number(28, 2) & _WEBP_SIDE
    return 1, 1


def _load_png(image: PngImagePlugin.PngImageFile) -> None:
    """Before its EXIF is asked for, which may lie behind the pixels: Pillow would load them and hide their faults."""
    if image.mode == "P" and not (image.palette and image.palette.palette):
        raise ValueError("its palette is missing")
    image.load()
