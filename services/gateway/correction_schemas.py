"""What goes over the wire about corrections and the review queue, for OpenAPI and for checking requests."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.gateway.box_schemas import CorrectedOut, CorrectionOut, DetectionOut
from shared.domain.correction import CorrectedBox, CorrectionContent
from shared.domain.detection import Box, Kind

_MOST_BOXES = 500
_MOST_SKIPPED = 200
_MOST_SERVED = 10


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class BoxIn(_Request):
    """In pixels of the page as displayed, origin top left."""

    x: float = Field(ge=-1, le=1_000_000)
    y: float = Field(ge=-1, le=1_000_000)
    width: float = Field(gt=0, le=1_000_000)
    height: float = Field(gt=0, le=1_000_000)


class CorrectedBoxIn(_Request):
    """One box as it should be; ``detection`` is the id of the model's box it was made from, if any."""

    kind: Annotated[Kind, Field(strict=False)] = Kind.SIGNATURE
    box: BoxIn
    detection: str | None = Field(default=None, max_length=100, pattern=r"^[\x21-\x7e]+$")


class CorrectionIn(_Request):
    """All boxes of a page as they should be. A page without signature boxes must say so."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"boxes": [{"kind": "signature", "box": {"x": 812, "y": 1420, "width": 260, "height": 94}}]},
                {"boxes": [], "no_signature": True},
            ]
        }
    )

    boxes: list[CorrectedBoxIn] = Field(max_length=_MOST_BOXES)
    no_signature: bool = Field(default=False, description="There is no signature on this page")

    def to_domain(self) -> CorrectionContent:
        """The same in the domain's words."""
        boxes = tuple(CorrectedBox(one.kind, Box(**one.box.model_dump()), one.detection) for one in self.boxes)
        return CorrectionContent(boxes, self.no_signature)


class CorrectionVersionOut(BaseModel):
    """Who saved which version, and when."""

    version: int
    author: str
    saved_at: datetime


class CorrectedPageOut(BaseModel):
    """A page as the model and as people see it."""

    job_id: UUID
    number: int
    width: int
    height: int
    detections: list[DetectionOut] = Field(description="The model's, never changed")
    correction: CorrectionOut | None = Field(description="The one in force")
    history: list[CorrectionVersionOut] = Field(description="Newest first")
    corrected: CorrectedOut | None


class PageOfJobIn(_Request):
    """One page of one job."""

    job_id: Annotated[UUID, Field(strict=False)]
    page: int = Field(ge=1, le=1_000_000)


class NextReviewIn(_Request):
    """How many pages to be served, and which not."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"count": 2}]})

    count: int = Field(default=1, ge=1, le=_MOST_SERVED)
    skip: list[PageOfJobIn] = Field(default=[], max_length=_MOST_SKIPPED, description="Let go, and not served")


class ReleaseReviewIn(_Request):
    """Pages that the caller will not decide after all."""

    pages: list[PageOfJobIn] = Field(max_length=_MOST_SKIPPED)


class ReviewPageOut(BaseModel):
    """A page that needs a person, claimed for the caller until ``claimed_until``."""

    job_id: UUID
    page: int
    filename: str | None
    confidence: float = Field(description="Of its surest box that is short of counting")
    unsure: list[str] = Field(description="Ids of the detections to decide on, surest first")
    claimed_until: datetime


class NextReviewOut(BaseModel):
    """Pages for the caller, nearest the threshold first; ``waiting`` counts all that need a person."""

    pages: list[ReviewPageOut]
    waiting: int
