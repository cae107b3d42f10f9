"""From a file to its pages. Runs only inside a renderer child."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from shared.domain.errors import DocumentError, ErrorCode
from shared.domain.fit import Fit
from shared.pages.document import DrawnPage, OpenDocument
from shared.pages.images import ImageDocument
from shared.pages.limits import RenderLimits
from shared.pages.pdfs import PdfDocument
from shared.pages.sniff import HEAD_BYTES, media_type
from shared.pages.tiffs import TiffDocument


def count_pages(path: Path, limits: RenderLimits) -> int:
    """How many pages the document has; raises DocumentError when it has none, too many, or cannot be opened."""
    with closing(_open(path, limits)) as document:
        return _checked_count(document, limits)


def draw_pages(path: Path, limits: RenderLimits, fit: Fit) -> Iterator[tuple[DrawnPage, bool]]:
    """Every page in order, each scaled to ``fit``, and whether it is the last."""
    with closing(_open(path, limits)) as document:
        count = _checked_count(document, limits)
        for number in range(1, count + 1):
            yield document.draw(number, fit), number == count


def draw_page(path: Path, limits: RenderLimits, fit: Fit, number: int) -> DrawnPage:
    """One page by its 1-based number."""
    with closing(_open(path, limits)) as document:
        count = _checked_count(document, limits)
        if not 1 <= number <= count:
            raise DocumentError(
                ErrorCode.PAGE_OUT_OF_RANGE, f"There is no page {number}: the document has {count}, counted from 1."
            )
        return document.draw(number, fit)


def _open(path: Path, limits: RenderLimits) -> OpenDocument:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise DocumentError(ErrorCode.EMPTY_DOCUMENT, "The file is empty; send a document.")
    kind = media_type(head)
    if kind is None:
        raise DocumentError(
            ErrorCode.UNSUPPORTED_TYPE, "The content is not PDF, TIFF, JPEG, PNG or WebP; convert it to one of these."
        )
    if kind == "application/pdf":
        return PdfDocument(path, limits)
    return TiffDocument(path, limits) if kind == "image/tiff" else ImageDocument(path, kind, limits)


def _checked_count(document: OpenDocument, limits: RenderLimits) -> int:
    count = len(document)
    if count < 1:
        raise DocumentError(ErrorCode.NO_PAGES, "The document has no pages; export it again.")
    if count > limits.max_pages:
        raise DocumentError(
            ErrorCode.TOO_MANY_PAGES, f"The document has more than {limits.max_pages} pages; send it in parts."
        )
    return count
