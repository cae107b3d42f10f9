"""What was found, and where: boxes in page pixels and the same boxes normalised to 0..1."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a box encloses."""

    SIGNATURE = "signature"
    INITIALS = "initials"
    STAMP = "stamp"


class Tone(StrEnum):
    """How much a page's picture holds, from least to most: black and white only, shades of grey, or colour."""

    BILEVEL = "bilevel"
    GREY = "grey"
    COLOUR = "colour"


@dataclass(frozen=True, slots=True)
class Box:
    """Axis-aligned box, origin top left; in page pixels, or in 0..1 when it says normalised."""

    x: float
    y: float
    width: float
    height: float

    @classmethod
    def of_corners(cls, left: float, top: float, right: float, bottom: float) -> "Box":
        """The box with these ``corners``."""
        return cls(left, top, right - left, bottom - top)

    def normalized(self, page_width: int, page_height: int) -> "Box":
        """The same box as shares of the page (0..1)."""
        return Box(self.x / page_width, self.y / page_height, self.width / page_width, self.height / page_height)

    @property
    def center(self) -> tuple[float, float]:
        """Centre point (x, y) in the box's own unit."""
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom, in the box's own unit."""
        return self.x, self.y, self.x + self.width, self.y + self.height

    def touches(self, other: "Box") -> bool:
        """Whether they share more than a border."""
        left, top, right, bottom = self.corners
        its_left, its_top, its_right, its_bottom = other.corners
        return left < its_right and its_left < right and top < its_bottom and its_top < bottom

    def contains_point(self, x: float, y: float) -> bool:
        """Whether the point lies inside or on the border."""
        return self.x <= x <= self.x + self.width and self.y <= y <= self.y + self.height


@dataclass(frozen=True, slots=True)
class Detection:
    """One box on one page. ``box`` is in page pixels; ``confidence`` in 0..1. ``id`` is unique within its job."""

    id: str
    kind: Kind
    confidence: float
    box: Box


@dataclass(frozen=True, slots=True)
class Page:
    """One raster of a document, as displayed (after EXIF orientation): 1-based number, size in pixels, its boxes.

    ``tone`` is None where it was not measured.
    """

    number: int
    width: int
    height: int
    detections: tuple[Detection, ...] = ()
    tone: Tone | None = None


def richest_tone(pages: Iterable[Page]) -> Tone | None:
    """The tone of a document: that of the page with most; None when no page was measured."""
    ranks = list(Tone)
    return max((page.tone for page in pages if page.tone), key=ranks.index, default=None)
