"""The document's outcome against the caller's expectation."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.detection import Box, Detection, Kind, Page


class Verdict(StrEnum):
    """``signed``: every requirement met above the accept threshold. ``review``: met only by counting boxes between
    the two thresholds. ``unsigned``: not met even so."""

    SIGNED = "signed"
    UNSIGNED = "unsigned"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Confidences in 0..1: at or above ``accept`` a box counts, between ``review`` and ``accept`` a person decides."""

    accept: float
    review: float

    def __post_init__(self) -> None:
        if not 0 <= self.review <= self.accept <= 1:
            raise ValueError(f"thresholds must satisfy 0 <= review <= accept <= 1, not {self}")


@dataclass(frozen=True, slots=True)
class Zone:
    """At least ``min`` signatures with their centre in ``box`` (normalised) of ``page`` (1-based; -1 is the last)."""

    page: int
    box: Box
    min: int = 1


@dataclass(frozen=True, slots=True)
class Requirements:
    """What the caller expects of the document. The default: one signature anywhere."""

    min_signatures: int = 1
    zones: tuple[Zone, ...] = ()


class RequirementState(StrEnum):
    """How one requirement stands."""

    MET = "met"
    REVIEW = "review"
    NOT_MET = "not_met"


@dataclass(frozen=True, slots=True)
class RequirementOutcome:
    """One requirement with what was found for it. ``zone``: its index in the caller's zones, None for the total."""

    zone: int | None
    required: int
    found: int
    found_with_review: int

    @property
    def state(self) -> RequirementState:
        """Met by sure boxes, met only with unsure ones, or not met."""
        if self.found >= self.required:
            return RequirementState.MET
        if self.found_with_review >= self.required:
            return RequirementState.REVIEW
        return RequirementState.NOT_MET


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, how many sure signatures there are in all, and each requirement's outcome."""

    verdict: Verdict
    count: int
    requirements: tuple[RequirementOutcome, ...]


def decide(pages: Sequence[Page], requirements: Requirements, thresholds: Thresholds) -> Decision:
    """Judge a document. Only detections of kind ``signature`` at or above the review threshold count at all."""
    everywhere = [(page, found) for page in pages for found in page.detections if found.kind is Kind.SIGNATURE]
    outcomes = [_outcome(None, requirements.min_signatures, [found for _, found in everywhere], thresholds)]
    for index, zone in enumerate(requirements.zones):
        number = len(pages) if zone.page == -1 else zone.page
        inside = [found for page, found in everywhere if page.number == number and _centre_inside(found, page, zone)]
        outcomes.append(_outcome(index, zone.min, inside, thresholds))
    return Decision(_verdict(outcomes), outcomes[0].found, tuple(outcomes))


def _outcome(zone: int | None, required: int, found: list[Detection], thresholds: Thresholds) -> RequirementOutcome:
    sure = sum(1 for one in found if one.confidence >= thresholds.accept)
    possible = sum(1 for one in found if one.confidence >= thresholds.review)
    return RequirementOutcome(zone, required, sure, possible)


def _centre_inside(found: Detection, page: Page, zone: Zone) -> bool:
    return zone.box.contains_point(*found.box.normalized(page.width, page.height).center)


def _verdict(outcomes: list[RequirementOutcome]) -> Verdict:
    states = {outcome.state for outcome in outcomes}
    if RequirementState.NOT_MET in states:
        return Verdict.UNSIGNED
    return Verdict.REVIEW if RequirementState.REVIEW in states else Verdict.SIGNED
