"""PDF, drawn by PDFium as a person would see it. Runs only inside a renderer child, for the files are hostile."""

import os
import re
from itertools import islice
from pathlib import Path

import pypdfium2
import pypdfium2.raw
from PIL import Image

from shared.domain.errors import DocumentError, ErrorCode
from shared.pages import raster
from shared.pages.document import DrawnPage, check_page_pixels, decoding, truncated
from shared.pages.fit import Fit
from shared.pages.limits import RenderLimits
from shared.pages.tone import drawn_tone

_POINTS_PER_INCH = 72
_TAIL_BYTES = 4096
_ONE_BIT_FILTERS = {"CCITTFaxDecode", "JBIG2Decode"}
# Of a page, looked at for its tone: a scan is one image, or a few strips, with or without text over it. A drawing of a
# hundred thousand lines must not cost a second.
_MOST_IMAGES = 50
_MOST_OBJECTS = 2000
_LOCKED = (pypdfium2.raw.FPDF_ERR_PASSWORD, pypdfium2.raw.FPDF_ERR_SECURITY)
_LINEARIZED_LENGTH = re.compile(rb"/Linearized\b[^>]{0,200}?/L\s+(\d{1,15})\b")


class PdfDocument:
    """A PDF's pages at ``limits.pdf_dpi``, with annotations and form fields: signatures are often one of these."""

    def __init__(self, path: Path, limits: RenderLimits) -> None:
        _check_end_is_there(path)
        self._scale = limits.pdf_dpi / _POINTS_PER_INCH
        self._limits = limits
        with decoding("The PDF", lambda: False):
            self._pdf = _open(path)

    def __len__(self) -> int:
        return len(self._pdf)

    def draw(self, number: int, fit: Fit) -> DrawnPage:
        """Page ``number`` as displayed, scaled to ``fit``."""
        with decoding(f"Page {number}", lambda: False):
            width, height = self._pdf.get_page_size(number - 1)
        check_page_pixels(number, width * self._scale, height * self._scale, self._limits)
        with decoding(f"Page {number}", lambda: False):
            image, from_shades = self._drawn(number)
        scaled = raster.scaled(image, fit.size(*image.size))
        return DrawnPage(number, *image.size, scaled, drawn_tone(image, scaled, from_shades=from_shades))

    def close(self) -> None:
        """Let go of the file."""
        self._pdf.close()

    def _drawn(self, number: int) -> tuple[Image.Image, bool]:
        """The page, and whether it shows an image of more than one bit a pixel."""
        page = self._pdf[number - 1]
        try:
            # Four bytes a pixel in Pillow's own order: the picture shares PDFium's memory instead of copying it.
            bitmap = page.render(scale=self._scale, prefer_bgrx=True, rev_byteorder=True)
            image: Image.Image = bitmap.to_pil()
            from_shades = _shows_shades(page)
        finally:
            page.close()
        return image, from_shades


def _shows_shades(page: pypdfium2.PdfPage) -> bool:
    objects = islice(page.get_objects(), _MOST_OBJECTS)
    images = (one for one in objects if isinstance(one, pypdfium2.PdfImage))
    return any(_has_shades(one) for one in islice(images, _MOST_IMAGES))


def _has_shades(image: pypdfium2.PdfImage) -> bool:
    """By its compression where that tells, for to ask PDFium for the depth may decode the whole image again."""
    filters = set(image.get_filters(skip_simple=True))
    if filters & _ONE_BIT_FILTERS:
        return False
    return bool(filters) or image.get_metadata().bits_per_pixel > 1


def _open(path: Path) -> pypdfium2.PdfDocument:
    # Not by pypdfium2's own constructor: for a PDF without pages it reports the error of whichever file failed before.
    handle = pypdfium2.raw.FPDF_LoadDocument(os.fsencode(path) + b"\0", None)
    if not handle:
        raise _refusal(pypdfium2.raw.FPDF_GetLastError())
    pdf = pypdfium2.PdfDocument(handle)
    pdf.init_forms()
    return pdf


def _refusal(reason: int) -> DocumentError:
    if reason in _LOCKED:
        return DocumentError(
            ErrorCode.ENCRYPTED_DOCUMENT, "The PDF is protected by a password; send a copy without protection."
        )
    return DocumentError(
        ErrorCode.CORRUPT_DOCUMENT, f"The PDF cannot be read (PDFium error {reason}); export it again."
    )


def _check_end_is_there(path: Path) -> None:
    """PDFium repairs a PDF that was cut and shows the pages it finds, perhaps blank: refuse it instead."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_TAIL_BYTES)
        file.seek(max(0, size - _TAIL_BYTES), os.SEEK_SET)
        tail = file.read()
    full_length = _LINEARIZED_LENGTH.search(head)
    has_end = b"%%EOF" in tail or b"startxref" in tail
    if not has_end or (full_length and int(full_length[1]) > size):
        raise truncated("The PDF")
