"""What goes over the wire, for OpenAPI and for checking requests. Fields not named here are refused."""

import json
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, AnyHttpUrl, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from shared.db.keys import DEFAULT_REQUESTS_PER_MINUTE, Scope
from shared.domain.detection import Kind
from shared.domain.job import JobOptions, JobState, Priority
from shared.domain.json_forms import requirements_from_json
from shared.domain.verdict import RequirementState, Verdict

METADATA_BYTES = 4096
_TINY_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAIAQAAAADsdIMmAAAADUlEQVR42mP4z8SADAEPcQEOdvOI0AAAAABJRU5ErkJggg=="
_URL: TypeAdapter[AnyHttpUrl] = TypeAdapter(AnyHttpUrl)


def _printable(text: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 or "\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("Control characters are not allowed.")
    return text


def _web_address(text: str) -> str:
    _URL.validate_python(text)
    if any(character.isspace() for character in text):
        raise ValueError("Spaces are not allowed.")
    return text


def _small_object(value: dict[str, Any]) -> dict[str, Any]:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise ValueError("Numbers must be finite.") from error
    if len(text.encode()) > METADATA_BYTES:
        raise ValueError(f"At most {METADATA_BYTES} bytes of JSON are kept.")
    if "\\u0000" in text:
        raise ValueError("The character U+0000 cannot be kept.")
    return value


Printable = Annotated[str, AfterValidator(_printable)]
Filename = Annotated[Printable, Field(min_length=1, max_length=255, examples=["contract.pdf"])]
ModelName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$", examples=["signatures"])]
CallbackUrl = Annotated[
    Printable,
    AfterValidator(_web_address),
    Field(max_length=2000, json_schema_extra={"format": "uri"}, examples=["https://example.org/hooks/paraphe"]),
]
Metadata = Annotated[
    dict[str, Any],
    AfterValidator(_small_object),
    Field(description=f"Returned untouched; at most {METADATA_BYTES} bytes of JSON", examples=[{"case": "2024-117"}]),
]
Share = Annotated[float, Field(ge=0, le=1)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class ZoneIn(_Request):
    """Signatures expected in one part of one page."""

    page: int = Field(ge=-1, le=100_000, description="1-based; -1 is the last page")
    box: list[Share] = Field(min_length=4, max_length=4, description="Two corners x0, y0, x1, y1, as shares 0..1")
    min: int = Field(default=1, ge=1, le=1000)

    @model_validator(mode="after")
    def _sensible(self) -> "ZoneIn":
        if self.page == 0:
            raise ValueError("Pages are counted from 1; -1 is the last.")
        if self.box[0] >= self.box[2] or self.box[1] >= self.box[3]:
            raise ValueError("The box needs x0 < x1 and y0 < y1.")
        return self


class RequirementsIn(_Request):
    """What makes the document ``signed``. Without any: one signature anywhere."""

    min_signatures: int = Field(default=1, ge=0, le=1000)
    zones: list[ZoneIn] = Field(default=[], max_length=100)


class OptionsIn(_Request):
    """What may be said about a document beside the document."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"requirements": {"min_signatures": 2, "zones": [{"page": -1, "box": [0, 0.6, 1, 1]}]}}]
        }
    )

    model: ModelName = "signatures"
    priority: Annotated[Priority, Field(strict=False)] = Priority.NORMAL
    requirements: RequirementsIn = RequirementsIn()
    metadata: Metadata = {}
    callback_url: CallbackUrl | None = None

    def to_domain(self) -> JobOptions:
        """The same in the domain's words."""
        return JobOptions(
            model=self.model,
            priority=self.priority,
            requirements=requirements_from_json(self.requirements.model_dump()),
            metadata=self.metadata,
            callback_url=self.callback_url,
        )


class NewJobIn(OptionsIn):
    """A job as JSON: the document itself in base64, or the id of a finished upload."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"document": _TINY_PNG, "filename": "lease.png"}]})

    document: str | None = Field(default=None, description="The document in base64", examples=[_TINY_PNG])
    upload_id: Annotated[UUID, Field(strict=False)] | None = None
    filename: Filename | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "NewJobIn":
        if (self.document is None) == (self.upload_id is None):
            raise ValueError("Give exactly one of document and upload_id.")
        return self


class NewJobForm(BaseModel):
    """A job as a form. Only for the documentation: forms are read as they stream in."""

    file: bytes = Field(json_schema_extra={"format": "binary"})
    model: ModelName = "signatures"
    priority: Priority = Priority.NORMAL
    requirements: str = Field(default="{}", description="JSON text", examples=['{"min_signatures": 2}'])
    metadata: str = Field(default="{}", description="JSON text", examples=['{"case": "2024-117"}'])
    callback_url: CallbackUrl | None = None


class PredictIn(_Request):
    """One image."""

    image: str = Field(description="The image in base64", examples=[_TINY_PNG])


class PredictOut(BaseModel):
    """Boxes of the signatures found, ``[x, y, width, height]`` in pixels of the image sent, surest first."""

    prediction: list[Annotated[list[int], Field(min_length=4, max_length=4)]]
    count: int

    model_config = ConfigDict(json_schema_extra={"examples": [{"prediction": [[812, 1420, 260, 94]], "count": 1}]})


class UploadIn(_Request):
    """What is going to be uploaded."""

    filename: Filename | None = None


class UploadOut(BaseModel):
    """Where to PUT the file to, and until when."""

    id: UUID
    url: str
    method: str = Field(examples=["PUT"])
    expires_at: datetime


class KeyIn(_Request):
    """A key to be made. Without ``client`` it belongs to the caller's own client."""

    name: Annotated[Printable, Field(min_length=1, max_length=100, examples=["scanner, ground floor"])]
    client: Annotated[Printable, Field(min_length=1, max_length=100)] | None = None
    scopes: list[Annotated[Scope, Field(strict=False)]] = Field(min_length=1, max_length=10)
    requests_per_minute: int = Field(default=DEFAULT_REQUESTS_PER_MINUTE, ge=1, le=1_000_000)


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


class PageOut(BaseModel):
    """One page as displayed (after EXIF orientation)."""

    number: int
    width: int
    height: int
    detections: list[DetectionOut]


class RequirementOut(BaseModel):
    """One requirement and what was found for it; ``zone`` is its index, or null for the total."""

    zone: int | None
    required: int
    found: int
    found_with_review: int
    state: RequirementState


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


class ResultOut(BriefResultOut):
    """Everything found."""

    requirements: list[RequirementOut]
    model: ModelOut
    timings: TimingsOut
    pages: list[PageOut]


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
