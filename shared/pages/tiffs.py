"""TIFF: as many pages as it has full pictures. Runs only inside a renderer child, for the files are hostile."""

import os
from pathlib import Path

from PIL import Image, ImageOps, TiffImagePlugin

from shared.domain.errors import DocumentError, ErrorCode
from shared.domain.fit import Fit
from shared.pages import raster
from shared.pages.document import DrawnPage, check_page_pixels, decoding, truncated
from shared.pages.limits import RenderLimits
from shared.pages.print_size import legible
from shared.pages.tiff_structure import reaches_past_end
from shared.pages.tone import stored_tone

_NEW_SUBFILE_TYPE = 254
_REDUCED_COPY = 1  # bit of NewSubfileType: a thumbnail of another page
_BITS_PER_SAMPLE = 258
_PHOTOMETRIC = 262
_WHITE_IS_ZERO = 0
_ORIENTATION = 274
_RESOLUTIONS = (282, 283)  # across, down
_SAMPLE_FORMAT = 339
_UNSIGNED = 1
_DATA_PLACES = ((273, 279), (324, 325))  # offsets and byte counts: of strips, of tiles

Image.MAX_IMAGE_PIXELS = None  # each page's declared size is checked against the caller's own limit instead


class TiffDocument:
    """A TIFF's frames, thumbnails left out. Pillow turns each frame upright by itself and reports its turned size."""

    def __init__(self, path: Path, limits: RenderLimits) -> None:
        self._file = path.open("rb")
        self._size = os.fstat(self._file.fileno()).st_size
        self._limits = limits
        with decoding("The TIFF", self._is_cut_short):
            self._image = TiffImagePlugin.TiffImageFile(self._file)
        self._frames = self._find_pages()

    def __len__(self) -> int:
        return len(self._frames)

    def draw(self, number: int, fit: Fit) -> DrawnPage:
        """Page ``number``, upright, scaled to ``fit``."""
        image = self._image
        with decoding(f"Page {number}", self._is_cut_short):
            image.seek(self._frames[number - 1])
            self._check_data_is_there(number)
        width, height = self._displayed_size()
        check_page_pixels(number, width, height, self._limits)
        with decoding(f"Page {number}", self._is_cut_short):
            image.load()
        scaled, small_print = legible(lambda fit: _scaled(image, fit.size(width, height)), fit)
        return DrawnPage(number, width, height, scaled, stored_tone(image, scaled), small_print)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _find_pages(self) -> list[int]:
        """Indices of the frames that are pages, by walking the file: no count in it is trusted, and none past the
        limit is visited."""
        pages: list[int] = []
        thumbnails: list[int] = []
        for index in range(2 * self._limits.max_pages + 2):
            if not self._seek(index):
                break
            kind = self._image.tag_v2.get(_NEW_SUBFILE_TYPE, 0)
            (thumbnails if isinstance(kind, int) and kind & _REDUCED_COPY else pages).append(index)
            if len(pages) > self._limits.max_pages:
                break
        return pages or thumbnails

    def _seek(self, index: int) -> bool:
        with decoding(f"Frame {index + 1}", self._is_cut_short):
            try:
                self._image.seek(index)
            except EOFError:  # Pillow's way to say that the previous frame was the last
                return False
        return True

    def _is_cut_short(self) -> bool:
        return reaches_past_end(self._file)

    def _displayed_size(self) -> tuple[int, int]:
        """With square pixels: many a fax has half as many lines an inch as columns, and would be drawn squashed.

        Only such ratios are believed; resolutions are often made up.
        """
        width, height = self._image.size
        across, down = (_number(self._image.tag_v2.get(tag)) for tag in _RESOLUTIONS)
        if raster.is_sideways(self._image.tag_v2.get(_ORIENTATION, 1)):
            across, down = down, across
        if 1.5 * down < across < 3 * down:
            return width, round(height * across / down)
        if 1.5 * across < down < 3 * across:
            return round(width * down / across), height
        return width, height

    def _check_data_is_there(self, number: int) -> None:
        """A fax decoder fills what is missing with white and says nothing: compare with the file's length instead."""
        tags = self._image.tag_v2
        for offsets_tag, counts_tag in _DATA_PLACES:
            offsets = tags.get(offsets_tag) or ()
            counts = tags.get(counts_tag) or (0,) * len(offsets)
            if any(offset + count > self._size for offset, count in zip(offsets, counts, strict=False)):
                raise truncated(f"Page {number}")
            if offsets_tag in tags and not offsets:
                raise DocumentError(ErrorCode.CORRUPT_DOCUMENT, f"Page {number} holds no picture; scan it again.")


def _scaled(image: TiffImagePlugin.TiffImageFile, size: tuple[int, int]) -> Image.Image:
    scaled = raster.scaled(_full_range(image), size)
    if image.mode in ("I;16", "F") and image.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        return ImageOps.invert(scaled)  # as Pillow does by itself in the other modes
    return scaled


def _full_range(image: TiffImagePlugin.TiffImageFile) -> Image.Image:
    """The picture with the numbers that its file holds, where Pillow takes them for others."""
    tags = image.tag_v2
    if image.mode == "I" and tags.get(_SAMPLE_FORMAT, (_UNSIGNED,)) == (_UNSIGNED,):
        return Image.frombytes("F", image.size, image.tobytes(), "raw", "F;32N")  # the upper half came out negative
    if image.mode == "I;16" and tags.get(_BITS_PER_SAMPLE) == (12,):
        return image.point(lambda value: value * (65535 / 4095))
    return image


def _number(value: object) -> float:
    """A tag's number, or 0 where it is none."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0
