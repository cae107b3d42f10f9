"""A delivery: one event on its way to one callback URL."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from shared.domain.events import EventKind


class DeliveryState(StrEnum):
    """``pending → delivered | failed | disabled`` (disabled: the receiver answered 410, Gone)."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Callback:
    """Where a job's owner wants to hear of an event."""

    event_id: UUID
    job_id: UUID
    client_id: UUID
    url: str


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """One delivery to attempt now, with all that its message is made of. ``attempt`` counts from 1."""

    id: UUID
    client_id: UUID
    receiver: str
    url: str
    attempt: int
    secret: str
    event_id: UUID
    kind: EventKind
    occurred_at: datetime
    job_id: UUID
    data: dict[str, Any]
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. ``status`` is the HTTP status, or None when there was no answer; then ``error`` says why."""

    at: datetime
    status: int | None
    error: str | None
    milliseconds: float
    succeeded: bool


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery with its attempts, oldest first. ``next_attempt_at`` is None once it has ended."""

    id: UUID
    event_id: UUID
    url: str
    state: DeliveryState
    attempts: tuple[Attempt, ...]
    next_attempt_at: datetime | None
