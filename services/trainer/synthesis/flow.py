"""Running text: paragraphs, headings, tables and fields printed down a sheet."""

from dataclasses import dataclass

import numpy as np
from PIL import ImageFont

from services.trainer.synthesis.faces import face
from services.trainer.synthesis.sheet import Sheet


@dataclass
class Style:
    """How a document is set: faces, body size in points, leading, space between paragraphs in lines."""

    face: str
    heading_face: str
    body: float
    leading: float = 1.25
    gap: float = 0.6
    justified: bool = True


@dataclass
class Flow:
    """A cursor that prints down one column of a sheet, in millimetres."""

    sheet: Sheet
    style: Style
    left: float
    right: float
    y: float
    bottom: float

    @property
    def full(self) -> bool:
        """Whether no further line fits."""
        return self.y > self.bottom - self.line_height()

    @property
    def width(self) -> float:
        """Width of the column in mm."""
        return self.right - self.left

    def line_height(self, size: float | None = None) -> float:
        """Distance between base lines in mm, at `size` points."""
        return (size or self.style.body) * 0.3528 * self.style.leading

    def font(self, size: float | None = None, bold: bool = False, italic: bool = False) -> ImageFont.FreeTypeFont:
        """The body face at `size` points."""
        return face(self.style.face, self.sheet.points(size or self.style.body), bold, italic)

    def skip(self, lines: float = 1.0) -> None:
        """Leave that many lines empty."""
        self.y += lines * self.line_height()

    def paragraph(self, text: str, indent: float = 0.0, bold: bool = False, italic: bool = False) -> None:
        """Set a paragraph, justified when the style says so, and leave the style's gap after it."""
        font = self.font(bold=bold, italic=italic)
        lines = _wrapped(text, font, (self.width - indent) * self.sheet.scale)
        for number, words in enumerate(lines):
            if self.full:
                return
            last = number == len(lines) - 1
            self._set_line(words, font, self.left + indent, justified=self.style.justified and not last)
            self.y += self.line_height()
        self.skip(self.style.gap)

    def line(self, text: str, size: float | None = None, bold: bool = False, align: str = "left") -> None:
        """Set one line without wrapping; `align` is left, centre or right."""
        font = self.font(size, bold)
        room = self.width - font.getlength(text) / self.sheet.scale
        self.sheet.text(self.left + room * {"left": 0.0, "centre": 0.5, "right": 1.0}[align], self.y, text, font)
        self.y += self.line_height(size)

    def heading(self, text: str, size: float, centred: bool, underlined: bool = False) -> None:
        """Set one bold line in the heading face."""
        font = face(self.style.heading_face, self.sheet.points(size), bold=True)
        width = font.getlength(text) / self.sheet.scale
        x = self.left + (self.width - width) / 2 if centred else self.left
        self.sheet.text(x, self.y, text, font)
        self.y += self.line_height(size)
        if underlined:
            self.sheet.line(x, self.y - 0.6, x + width, self.y - 0.6)
        self.skip(self.style.gap)

    def table(self, rows: list[list[str]], shares: list[float], padding: float = 1.0, boxed: bool = True) -> None:
        """Set rows of cells whose widths are shares of the column; the first row is the head."""
        edges = self.left + self.width * np.cumsum([0.0, *shares]) / sum(shares)
        for number, row in enumerate(rows):
            if self.full:
                return
            height = self.line_height() + 2 * padding
            font = self.font(bold=number == 0)
            for cell, left, right in zip(row, edges[:-1], edges[1:], strict=True):
                if boxed:
                    self.sheet.box(left, self.y, right, self.y + height)
                self.sheet.text(left + 1.2, self.y + padding, cell, font)
            self.y += height
        self.skip(self.style.gap)

    def _set_line(self, words: list[str], font: ImageFont.FreeTypeFont, x: float, justified: bool) -> None:
        if not justified or len(words) < 3:
            self.sheet.text(x, self.y, " ".join(words), font)
            return
        lengths = [font.getlength(word) / self.sheet.scale for word in words]
        space = (self.right - x - sum(lengths)) / (len(words) - 1)
        for word, length in zip(words, lengths, strict=True):
            self.sheet.text(x, self.y, word, font)
            x += length + space


def _wrapped(text: str, font: ImageFont.FreeTypeFont, room: float) -> list[list[str]]:
    """Break text into lines of words no longer than `room` px."""
    lines: list[list[str]] = [[]]
    used, space = 0.0, font.getlength(" ")
    for word in text.split():
        length = font.getlength(word)
        if lines[-1] and used + length > room:
            lines.append([])
            used = 0.0
        lines[-1].append(word)
        used += length + space
    return lines
