"""How large a page's raster shall be."""

import sys
from dataclasses import dataclass

ANY = sys.maxsize
"""A width or height that a page never fills, so that the other alone counts."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Scale a page, keeping its proportions, until it fills ``width`` x ``height`` pixels in one direction.

    ``small_print``: as many pixels both ways instead, where that is more, for a page whose print is small.
    """

    width: int
    height: int
    small_print: int = 0

    @property
    def for_small_print(self) -> "Fit":
        """What a page in small print fills: the same, unless more is asked for."""
        side = self.small_print
        return Fit(side, side) if side > max(self.width, self.height) else self

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Raster size (width, height) in pixels for a page of that size; never less than one pixel a side."""
        scale = min(self.width / width, self.height / height)
        return max(1, round(width * scale)), max(1, round(height * scale))
