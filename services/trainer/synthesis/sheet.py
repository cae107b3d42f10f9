"""One sheet of paper: print is drawn at once, ink marks are kept and laid on top when the sheet is finished."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from services.trainer.synthesis.ink import Colour, Ink, inked_places, lay_ink, outline

Pixels = NDArray[np.uint8]
Kind = Literal["signature", "initials", "stamp", "handwriting"]
CLASSES: dict[Kind, int] = {"signature": 0, "initials": 1, "stamp": 2}
"""The kinds that are labelled, with the numbers of their classes; handwriting is not."""

A4_MM = (210.0, 297.0)
LETTER_MM = (215.9, 279.4)


@dataclass(frozen=True)
class Outline:
    """Where ink of one kind lies on a page: convex outline (n, 2) and a sample of inked places (m, 2), in px."""

    kind: Kind
    points: NDArray[np.float32]
    sample: NDArray[np.float32]

    def moved(self, by: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> Outline:
        """The same mark after the page was bent, scaled or shifted."""
        return replace(self, points=by(self.points), sample=by(self.sample))


@dataclass
class Sheet:
    """A page in the making, `scale` px per millimetre; x and y of every method are in millimetres."""

    size_mm: tuple[float, float]
    scale: float
    paper: Colour = (255, 255, 255)
    print_colour: Colour = (15, 15, 18)
    marks: list[tuple[Kind, Ink, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        size = (round(self.size_mm[0] * self.scale), round(self.size_mm[1] * self.scale))
        self.image = Image.new("RGB", size, self.paper)
        self.draw = ImageDraw.Draw(self.image)

    def px(self, millimetres: float) -> int:
        """Millimetres to whole px."""
        return round(millimetres * self.scale)

    def points(self, typographic: float) -> int:
        """Typographic points to px."""
        return max(5, round(typographic * 0.3528 * self.scale))

    def text(self, x: float, y: float, words: str, font: ImageFont.FreeTypeFont, colour: Colour | None = None) -> None:
        """Print one line with its top left at x, y."""
        self.draw.text((x * self.scale, y * self.scale), words, font=font, fill=colour or self.print_colour)

    def line(
        self, x0: float, y0: float, x1: float, y1: float, width: float = 0.25, colour: Colour | None = None
    ) -> None:
        """Print a rule."""
        ends = [self.px(x0), self.px(y0), self.px(x1), self.px(y1)]
        self.draw.line(ends, fill=colour or self.print_colour, width=max(1, self.px(width)))

    def box(self, x0: float, y0: float, x1: float, y1: float, width: float = 0.25, fill: Colour | None = None) -> None:
        """Print a rectangle; width 0 leaves its border out."""
        corners = [self.px(x0), self.px(y0), self.px(x1), self.px(y1)]
        self.draw.rectangle(corners, outline=self.print_colour if width else None, fill=fill, width=self.px(width) or 1)

    def put(self, kind: Kind, ink: Ink, x: float, y: float, anchor: tuple[float, float] = (0.5, 0.5)) -> None:
        """Keep an ink mark whose anchor (share of its size) lies at x, y; moved inside the sheet if it sticks out."""
        left = self.px(x) - round(ink.size[0] * anchor[0])
        top = self.px(y) - round(ink.size[1] * anchor[1])
        left = int(np.clip(left, 1, max(1, self.image.width - ink.size[0] - 1)))
        top = int(np.clip(top, 1, max(1, self.image.height - ink.size[1] - 1)))
        self.marks.append((kind, ink, left, top))

    def finish(self) -> tuple[Pixels, list[Outline]]:
        """Lay all ink on the print; returns RGB pixels and the outline of every mark."""
        pixels = np.array(self.image)
        outlines = []
        for kind, ink, left, top in self.marks:
            lay_ink(pixels, ink, left, top)
            corner = np.array([left, top], np.float32)
            if len(found := outline(ink.alpha)):
                outlines.append(Outline(kind, found + corner, inked_places(ink.alpha) + corner))
        return pixels, outlines
