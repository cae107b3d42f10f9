"""How large a page's raster shall be."""

import sys
from dataclasses import dataclass

ANY = sys.maxsize
"""A width or height that a page never fills, so that the other alone counts."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Scale a page, keeping its proportions, until it fills ``width`` x ``height`` pixels in one direction."""

    width: int
    height: int

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Raster size (width, height) in pixels for a page of that size; never less than one pixel a side."""
        scale = min(self.width / width, self.height / height)
        return max(1, round(width * scale)), max(1, round(height * scale))
