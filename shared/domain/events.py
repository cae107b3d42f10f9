"""Things that happened, past tense. Delivered at least once; ``id`` is what repeats are dropped by."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class EventKind(StrEnum):
    """Every transition of a job, what people say of its result, and its erasure."""

    JOB_QUEUED = "job.queued"
    JOB_STARTED = "job.started"
    JOB_REQUEUED = "job.requeued"
    JOB_SUCCEEDED = "job.succeeded"
    JOB_FAILED = "job.failed"
    JOB_CANCELED = "job.canceled"
    JOB_REPLAYED = "job.replayed"
    JOB_CORRECTED = "job.corrected"
    JOB_ERASED = "job.erased"

    @property
    def is_outcome(self) -> bool:
        """Whether it ends a job: these are what callers are told about."""
        return self in (EventKind.JOB_SUCCEEDED, EventKind.JOB_FAILED, EventKind.JOB_CANCELED)


@dataclass(frozen=True, slots=True)
class Event:
    """One event row. ``sequence`` orders a job's events; ``data`` is a small JSON object (codes, counts, verdict)."""

    id: UUID
    sequence: int
    kind: EventKind
    job_id: UUID
    client_id: UUID
    occurred_at: datetime
    data: dict[str, Any]
