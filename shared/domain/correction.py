"""A correction: a person's boxes for a page, kept beside the model's, never over them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from shared.domain.detection import Box, Detection, Kind, Page
from shared.domain.verdict import Decision, Requirements, Thresholds, decide

# A person is sure: a drawn box counts whatever the model's thresholds are.
_CERTAIN = 1.0


@dataclass(frozen=True, slots=True)
class CorrectedBox:
    """One box a person drew or confirmed, in page pixels. ``detection``: id of the model's box it was made from."""

    kind: Kind
    box: Box
    detection: str | None = None


@dataclass(frozen=True, slots=True)
class Author:
    """Who corrects: an account or a key, with the name to show (an e-mail address, or the key's name)."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class CorrectionContent:
    """What a person says of one page. ``no_signature`` states on purpose that there is none."""

    boxes: tuple[CorrectedBox, ...]
    no_signature: bool

    def fault(self, page: Page) -> str | None:
        """Why this cannot be said of the page, as a sentence; None when it can."""
        has_signature = any(one.kind is Kind.SIGNATURE for one in self.boxes)
        if has_signature and self.no_signature:
            return "A page with a signature box cannot be marked as having no signature."
        if not has_signature and not self.no_signature:
            return "Without any signature box, say no_signature: true, so that none is lost by accident."
        known = {one.id for one in page.detections}
        for one in self.boxes:
            if not _lies_on(one.box, page):
                return f"A box reaches beyond the page of {page.width} x {page.height} pixels, or is smaller than one."
            if one.detection is not None and one.detection not in known:
                return f"The model has no detection {one.detection} on this page."
        return None


@dataclass(frozen=True, slots=True)
class Correction:
    """One saved version, counted from 1 on each page; earlier versions stay."""

    page_number: int
    version: int
    author: Author
    saved_at: datetime
    content: CorrectionContent


def _lies_on(box: Box, page: Page) -> bool:
    # Half a pixel is what rounding in a browser costs.
    return (
        min(box.x, box.y) >= -0.5
        and min(box.width, box.height) >= 1
        and box.x + box.width <= page.width + 0.5
        and box.y + box.height <= page.height + 0.5
    )


def implied_thresholds(decision: Decision, pages: Sequence[Page]) -> Thresholds:
    """Thresholds that sort this result's signatures as those that decided it did.

    A model's thresholds may have changed since, or the model be gone; what counted then is told by the counts kept.
    """
    total = decision.requirements[0]
    surest_first = sorted(
        (one.confidence for page in pages for one in page.detections if one.kind is Kind.SIGNATURE), reverse=True
    )
    accept = surest_first[total.found - 1] if total.found else _CERTAIN
    review = surest_first[total.found_with_review - 1] if total.found_with_review else accept
    return Thresholds(accept, min(review, accept))


def reconsider(
    decision: Decision, pages: Sequence[Page], corrections: Mapping[int, Correction], requirements: Requirements
) -> Decision:
    """The decision when each corrected page holds the person's boxes instead of the model's."""
    thresholds = implied_thresholds(decision, pages)
    return decide([corrected_page(page, corrections.get(page.number)) for page in pages], requirements, thresholds)


def corrected_page(page: Page, correction: Correction | None) -> Page:
    """The page with the person's boxes, each certain; the page itself when nobody corrected it."""
    if correction is None:
        return page
    boxes = enumerate(correction.content.boxes, 1)
    return replace(
        page,
        detections=tuple(
            Detection(f"c{correction.version}-{index}", one.kind, _CERTAIN, one.box) for index, one in boxes
        ),
    )
