"""Boxes on pages as callers get them: the model's, people's, and what they amount to."""

from datetime import datetime

from pydantic import BaseModel, Field

from shared.domain.detection import Kind
from shared.domain.verdict import RequirementState, Verdict


class BoxOut(BaseModel):
    """Origin top left."""

    x: float
    y: float
    width: float
    height: float


class DetectionOut(BaseModel):
    """One thing found on a page."""

    id: str
    kind: Kind
    confidence: float
    box: BoxOut = Field(description="In pixels of the page as displayed")
    box_normalized: BoxOut = Field(description="As shares of the page, 0..1")


class RequirementOut(BaseModel):
    """One requirement and what was found for it; ``zone`` is its index, or null for the total."""

    zone: int | None
    required: int
    found: int
    found_with_review: int
    state: RequirementState


class CorrectedBoxOut(BaseModel):
    """One box of a person; ``detection`` is the id of the model's box it was made from."""

    kind: Kind
    detection: str | None
    box: BoxOut = Field(description="In pixels of the page as displayed")
    box_normalized: BoxOut = Field(description="As shares of the page, 0..1")


class CorrectionOut(BaseModel):
    """What a person said of a page. Earlier versions stay."""

    version: int = Field(description="Counted from 1 on each page")
    author: str
    saved_at: datetime
    no_signature: bool
    boxes: list[CorrectedBoxOut]


class CorrectedOut(BaseModel):
    """The outcome with people's boxes in place of the model's on corrected pages."""

    verdict: Verdict
    count: int
    requirements: list[RequirementOut]
