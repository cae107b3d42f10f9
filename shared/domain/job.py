"""A job: one request to examine one document with one model."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from shared.domain.correction import Correction
from shared.domain.detection import Page, Tone
from shared.domain.verdict import Decision, Requirements


class JobState(StrEnum):
    """``queued → processing → succeeded | failed | canceled``; a retry goes back to ``queued``."""

    QUEUED = "queued"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_final(self) -> bool:
        """Whether the job has its outcome."""
        return self in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED)


class Priority(StrEnum):
    """Which jobs go first. A person waits for ``interactive``; ``bulk`` fills idle time."""

    INTERACTIVE = "interactive"
    NORMAL = "normal"
    BULK = "bulk"


@dataclass(frozen=True, slots=True)
class Document:
    """The bytes a client sent, never changed and checked against their sha256 when fetched. ``size`` in bytes."""

    id: UUID
    client_id: UUID
    sha256: str
    size: int
    media_type: str
    filename: str | None = None

    @property
    def object_name(self) -> str:
        """Its key in the object store: one copy a job, so that erasing one job's document never touches another's."""
        return f"documents/{self.client_id}/{self.sha256}/{self.id}"


@dataclass(frozen=True, slots=True)
class JobOptions:
    """What the caller asked for beside the document itself and the model.

    ``training_consent``: whether the document may be used to train models. Nobody is taken to have said yes.
    """

    priority: Priority = Priority.NORMAL
    requirements: Requirements = field(default_factory=Requirements)
    metadata: dict[str, Any] = field(default_factory=dict)
    callback_url: str | None = None
    training_consent: bool = False


@dataclass(frozen=True, slots=True)
class JobFailure:
    """Why a job failed: stable code and a sentence for people."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds each stage of the successful attempt took. ``queued`` runs from acceptance to the claim."""

    queued: float
    fetched: float
    rendered: float
    inferred: float
    recorded: float


@dataclass(frozen=True, slots=True)
class JobResult:
    """What the detector concluded, with the model that did.

    ``corrections`` are people's, the one in force for each corrected page; ``corrected`` is the decision with them,
    None while there are none. Neither ever changes what the model said.
    """

    decision: Decision
    pages: tuple[Page, ...]
    model_name: str
    model_version: str
    timings: Timings
    corrections: dict[int, Correction] = field(default_factory=dict)
    corrected: Decision | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One row of the truth. ``result`` is present only when it was asked for and the job succeeded.

    ``model`` is the name of the one that is to examine it; which version did is in the result.
    ``account_id`` is the person who submitted it in the browser, None for jobs that came with a key.
    """

    id: UUID
    client_id: UUID
    document: Document
    model: str
    options: JobOptions
    state: JobState
    attempts: int
    max_attempts: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    failure: JobFailure | None
    request_id: str | None
    verdict: str | None = None
    signature_count: int | None = None
    tone: Tone | None = None
    result: JobResult | None = None
    account_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A lease on a job: proof, while it lasts, that this worker and no other may write the outcome."""

    job: Job
    token: UUID
