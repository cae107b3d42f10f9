"""What every kind of document looks like to the renderer, and the errors they share."""

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from shared.domain.detection import Tone
from shared.domain.errors import DocumentError, ErrorCode
from shared.domain.fit import Fit
from shared.pages.limits import RenderLimits


@dataclass(frozen=True, slots=True)
class DrawnPage:
    """One page: its full size in pixels as displayed, a scaled picture of it (mode L or RGB), and its tone.

    ``small_print``: whether the picture fills what is asked of a page in small print.
    """

    number: int
    width: int
    height: int
    image: Image.Image
    tone: Tone
    small_print: bool


class OpenDocument(Protocol):
    """A document whose pages are drawn one at a time, in rising order, each at most once."""

    def __len__(self) -> int:
        """Number of pages, or any number above the limit when there are too many."""

    def draw(self, number: int, fit: Fit) -> DrawnPage:
        """Page ``number`` (1-based), upright, its picture scaled to ``fit``."""

    def close(self) -> None:
        """Let go of the file."""


def check_page_pixels(number: int, width: float, height: float, limits: RenderLimits) -> None:
    """Refuse a page by its declared size, before anything is allocated for it."""
    if width <= 0 or height <= 0:
        raise no_area(number)
    if width * height > limits.max_page_pixels:
        raise DocumentError(
            ErrorCode.PAGE_TOO_LARGE,
            f"Page {number} measures {width:.0f} x {height:.0f} pixels; the limit is {limits.max_page_pixels:,} "
            "pixels. Scan or export it at a lower resolution.",
        )


def no_area(number: int) -> DocumentError:
    """The error for a page of no width or height."""
    return DocumentError(ErrorCode.CORRUPT_DOCUMENT, f"Page {number} has no area; export the document again.")


@contextmanager
def decoding(what: str, cut_short: Callable[[], bool]) -> Iterator[None]:
    """Turn whatever a decoder raises on a bad file into a DocumentError.

    Decoders raise every kind of exception on hostile bytes, so all are caught here, and only around calls into them:
    a mistake of ours elsewhere must not pass for a bad file. ``cut_short`` looks whether the file's end is missing.
    """
    try:
        yield
    except (DocumentError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, EOFError | struct.error) or "truncated" in str(error).lower() or cut_short():
            raise truncated(what) from error
        reason = str(error).strip().rstrip(".") or type(error).__name__
        raise DocumentError(
            ErrorCode.CORRUPT_DOCUMENT, f"{what} cannot be decoded ({reason[:200]}); export or scan it again."
        ) from error


def truncated(what: str) -> DocumentError:
    """The error for a document whose end is missing."""
    return DocumentError(
        ErrorCode.TRUNCATED_DOCUMENT, f"{what} is cut short: its end is missing. Send the whole file again."
    )
