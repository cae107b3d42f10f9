"""How large a page's raster shall be."""

from dataclasses import dataclass
from enum import StrEnum


class Side(StrEnum):
    """Which side of the page ``Fit.pixels`` speaks of."""

    LONGER = "longer"
    WIDTH = "width"


@dataclass(frozen=True, slots=True)
class Fit:
    """Scale a page, keeping its proportions, until the named side measures ``pixels``."""

    side: Side
    pixels: int

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Raster size (width, height) in pixels for a page of that size; never less than one pixel a side."""
        scale = self.pixels / (width if self.side is Side.WIDTH else max(width, height))
        return max(1, round(width * scale)), max(1, round(height * scale))
