"""PDF, drawn by PDFium as a person would see it. Runs only inside a renderer child, for the files are hostile."""

import ctypes
import math
import os
import re
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import pypdfium2
import pypdfium2.raw
from PIL import Image

from shared.domain.errors import DocumentError, ErrorCode
from shared.domain.fit import Fit
from shared.pages import raster
from shared.pages.document import DrawnPage, decoding, no_area, truncated
from shared.pages.limits import RenderLimits
from shared.pages.print_size import legible
from shared.pages.tone import drawn_tone

_POINTS_PER_INCH = 72
_MILLIMETRES_PER_POINT = 25.4 / _POINTS_PER_INCH
_LOWEST_DPI = 36  # below it nobody tells a signature from a smudge
_TAIL_BYTES = 4096
_ONE_BIT_FILTERS = {"CCITTFaxDecode", "JBIG2Decode"}
# Of a page, looked at for its tone: a scan is one image, or a few strips, with or without text over it. A drawing of a
# hundred thousand lines must not cost a second.
_MOST_IMAGES = 50
_MOST_OBJECTS = 2000
_LOCKED = (pypdfium2.raw.FPDF_ERR_PASSWORD, pypdfium2.raw.FPDF_ERR_SECURITY)
_IN_NO_FORM = -1
_STAMP = (ctypes.c_ushort * 6)(*b"Stamp\0")
_LINEARIZED_LENGTH = re.compile(rb"/Linearized\b[^>]{0,200}?/L\s+(\d{1,15})\b")


class PdfDocument:
    """A PDF's pages, with annotations and form fields: signatures are often one of these.

    A page is drawn at ``limits.pdf_dpi``, or at what ``limits.max_page_pixels`` allow: scans are often wrapped in a PDF
    as one point a pixel, which makes pages of several metres out of ordinary ones.
    """

    def __init__(self, path: Path, limits: RenderLimits) -> None:
        _check_end_is_there(path)
        self._limits = limits
        with decoding("The PDF", lambda: False):
            self._pdf = _open(path)

    def __len__(self) -> int:
        return len(self._pdf)

    def draw(self, number: int, fit: Fit) -> DrawnPage:
        """Page ``number`` as displayed, scaled to ``fit``."""
        with decoding(f"Page {number}", lambda: False):
            width, height = self._pdf.get_page_size(number - 1)
        scale = self._scale(number, width, height)
        with decoding(f"Page {number}", lambda: False):
            image, from_shades = self._drawn(number, scale)
        scaled, small_print = legible(lambda fit: raster.scaled(image, fit.size(*image.size)), fit)
        tone = drawn_tone(image, scaled, from_shades=from_shades)
        return DrawnPage(number, *image.size, scaled, tone, small_print)

    def close(self) -> None:
        """Let go of the file."""
        self._pdf.close()

    def _scale(self, number: int, width: float, height: float) -> float:
        """Pixels a point; refuses a page by its declared size, before anything is allocated for it."""
        if width <= 0 or height <= 0:
            raise no_area(number)
        wanted = self._limits.pdf_dpi / _POINTS_PER_INCH
        scale = min(wanted, _largest_scale(width, height, self._limits.max_page_pixels))
        if scale < min(wanted, _LOWEST_DPI / _POINTS_PER_INCH):
            raise DocumentError(
                ErrorCode.PAGE_TOO_LARGE,
                f"Page {number} measures {width * _MILLIMETRES_PER_POINT:.0f} x {height * _MILLIMETRES_PER_POINT:.0f} "
                f"mm, too much to be legible in {self._limits.max_page_pixels:,} pixels, which is the limit. "
                "Export it at a smaller paper size.",
            )
        return scale

    def _drawn(self, number: int, scale: float) -> tuple[Image.Image, bool]:
        """The page, and whether it shows an image of more than one bit a pixel."""
        page = self._pdf[number - 1]
        try:
            self._make_stamps_of_stray_fields(page)
            # Four bytes a pixel in Pillow's own order: the picture shares PDFium's memory instead of copying it.
            bitmap = page.render(scale=scale, prefer_bgrx=True, rev_byteorder=True)
            image: Image.Image = bitmap.to_pil()
            from_shades = _shows_shades(page)
        finally:
            page.close()
        return image, from_shades

    def _make_stamps_of_stray_fields(self, page: pypdfium2.PdfPage) -> None:
        """So that form fields which are in no form are drawn, as other readers do: PDFium leaves fields to their form.

        A page taken out of a signed PDF, or merged into another, keeps its signature's field and loses the form.
        """
        for index in range(pypdfium2.raw.FPDFPage_GetAnnotCount(page)):
            annotation = pypdfium2.raw.FPDFPage_GetAnnot(page, index)
            is_field = pypdfium2.raw.FPDFAnnot_GetSubtype(annotation) == pypdfium2.raw.FPDF_ANNOT_WIDGET
            kind = pypdfium2.raw.FPDFAnnot_GetFormFieldType(self._pdf.formenv, annotation)
            if is_field and kind == _IN_NO_FORM:
                pypdfium2.raw.FPDFAnnot_SetStringValue(annotation, b"Subtype", _STAMP)
            pypdfium2.raw.FPDFPage_CloseAnnot(annotation)


def _largest_scale(width: float, height: float, pixels: int) -> float:
    """For at most ``pixels``, both sides rounded up: the scale where (width scale + 1)(height scale + 1) = pixels."""
    sides = width + height
    return 2 * (pixels - 1) / (sides + math.sqrt(sides**2 + 4 * width * height * (pixels - 1)))


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
        file.seek(max(0, _size_without_padding(file, size) - _TAIL_BYTES))
        tail = file.read(_TAIL_BYTES)
    full_length = _LINEARIZED_LENGTH.search(head)
    has_end = b"%%EOF" in tail or b"startxref" in tail
    if not has_end or (full_length and int(full_length[1]) > size):
        raise truncated("The PDF")


def _size_without_padding(file: BinaryIO, size: int) -> int:
    """Where the file ends but for zeros, with which some archives fill up their blocks."""
    while size:
        start = max(0, size - _TAIL_BYTES)
        file.seek(start)
        if content := file.read(size - start).rstrip(b"\0"):
            return start + len(content)
        size = start
    return 0
