"""What callers get back, for OpenAPI. Answers are made as JSON directly; tests compare the two."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.gateway.box_schemas import CorrectedOut, CorrectionOut, DetectionOut, RequirementOut
from shared.db.keys import Scope
from shared.domain.detection import Tone
from shared.domain.job import JobState, Priority
from shared.domain.verdict import Verdict


class PredictOut(BaseModel):
    """Boxes of the signatures found, ``[x, y, width, height]`` in pixels of the image sent, surest first."""

    prediction: list[Annotated[list[int], Field(min_length=4, max_length=4)]]
    count: int

    model_config = ConfigDict(json_schema_extra={"examples": [{"prediction": [[812, 1420, 260, 94]], "count": 1}]})


class UploadOut(BaseModel):
    """Where to PUT the file to, and until when."""

    id: UUID
    url: str
    method: str = Field(examples=["PUT"])
    expires_at: datetime


class KeyOut(BaseModel):
    """A key without its secret."""

    id: UUID
    name: str
    client: str
    prefix: str
    scopes: list[Scope]
    requests_per_minute: int
    created_at: datetime
    revoked_at: datetime | None


class NewKeyOut(KeyOut):
    """A key just made: the only time its text is shown."""

    key: str
    webhook_secret: str = Field(description="Checks the signatures on what is delivered to this client")


class KeysOut(BaseModel):
    """All keys, newest first."""

    keys: list[KeyOut]


class PageOut(BaseModel):
    """One page as displayed (after EXIF orientation)."""

    number: int
    width: int
    height: int
    tone: Tone | None = Field(description="Whether the page holds black and white only, shades of grey, or colour")
    detections: list[DetectionOut] = Field(description="The model's, never changed")
    correction: CorrectionOut | None = Field(description="A person's boxes, kept beside the model's")


class ModelOut(BaseModel):
    """The model that decided."""

    name: str
    version: str


class TimingsOut(BaseModel):
    """Milliseconds."""

    queued: float
    fetched: float
    rendered: float
    inferred: float
    recorded: float


class BriefResultOut(BaseModel):
    """A result as lists show it."""

    verdict: Verdict
    count: int
    tone: Tone | None = Field(description="Of the page with most colour; null for results from before it was measured")


class ResultOut(BriefResultOut):
    """Everything found."""

    requirements: list[RequirementOut]
    model: ModelOut
    timings: TimingsOut
    pages: list[PageOut]
    corrected: CorrectedOut | None = Field(description="The outcome with people's boxes on corrected pages")


class ErrorOut(BaseModel):
    """Why a job failed."""

    code: str = Field(examples=["encrypted_document"])
    detail: str


class DocumentOut(BaseModel):
    """What was sent."""

    sha256: str
    size: int
    media_type: str
    filename: str | None


class LinksOut(BaseModel):
    """Related addresses; ``pages`` has a place for the page number."""

    self: str
    events: str
    pages: str | None = None


class _JobFields(BaseModel):
    id: UUID
    status: JobState
    attempts: int
    model: str
    priority: Priority
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    document: DocumentOut
    metadata: dict[str, Any]
    requirements: dict[str, Any]
    callback_url: str | None
    training_consent: bool
    error: ErrorOut | None
    links: LinksOut


class JobOut(_JobFields):
    """A job."""

    result: ResultOut | None


class ListedJobOut(_JobFields):
    """A job as lists show it."""

    result: BriefResultOut | None


class JobsOut(BaseModel):
    """One page of a list; ``next_cursor`` is null on the last."""

    jobs: list[ListedJobOut]
    next_cursor: str | None


class EventOut(BaseModel):
    """Something that happened."""

    id: UUID
    sequence: int = Field(description="Later events have higher numbers; `Last-Event-ID` takes one")
    kind: str
    job_id: UUID
    occurred_at: datetime
    data: dict[str, Any]


class EventsOut(BaseModel):
    """A job's events, oldest first."""

    events: list[EventOut]


class AttemptOut(BaseModel):
    """One try to deliver."""

    at: datetime
    status: int | None
    error: str | None
    milliseconds: float


class DeliveryOut(BaseModel):
    """One event on its way to one address."""

    id: UUID
    event_id: UUID
    url: str
    state: str
    attempts: list[AttemptOut]
    next_attempt_at: datetime | None


class DeliveriesOut(BaseModel):
    """A job's deliveries, oldest first."""

    deliveries: list[DeliveryOut]


class ReadinessOut(BaseModel):
    """Each part is ``ok`` or says what is wrong. ``degraded``: jobs are accepted, but start late."""

    status: str = Field(examples=["ready", "degraded", "unavailable"])
    database: str
    store: str
    broker: str


class AliveOut(BaseModel):
    """The process answers."""

    status: str = Field(examples=["alive"])


class PartError(BaseModel):
    """One wrong part of a request."""

    pointer: str
    detail: str


class ProblemOut(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    code: str = Field(description="Stable; meant for programs")
    detail: str
    instance: str
    request_id: str
    errors: list[PartError] | None = None
