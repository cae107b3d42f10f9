"""A delivery: one message on its way to one address."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from shared.domain.events import EventKind
from shared.domain.subscription import Channel, Language


class DeliveryState(StrEnum):
    """``pending → delivered | failed | disabled``.

    Disabled: the receiver answered 410 (Gone), or the subscription was removed.
    """

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class WantedDelivery:
    """Where a client wants to hear of an event: by a job's callback URL, or by a subscription (then with its id)."""

    event_id: UUID
    job_id: UUID
    client_id: UUID
    url: str
    channel: Channel = Channel.WEBHOOK
    language: Language | None = None
    subscription_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class EventMessage:
    """What a client is told: one event of one of its jobs. ``metadata`` is the job's; empty once it is erased."""

    event_id: UUID
    kind: EventKind
    occurred_at: datetime
    job_id: UUID
    data: dict[str, Any]
    metadata: dict[str, Any]


class NoticeKind(StrEnum):
    """What those who run this installation are told by mail."""

    JOB_GIVEN_UP = "job_given_up"
    DELIVERY_DEAD = "delivery_dead"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to them. ``data`` depends on the kind; see ``services.notifier.channels.mail_texts``."""

    kind: NoticeKind
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """One delivery to attempt now, with all that its message is made of. ``attempt`` counts from 1.

    ``client_id`` is None for notices. ``secrets`` sign webhooks: the client's, and the one before while it is valid.
    """

    id: UUID
    channel: Channel
    client_id: UUID | None
    receiver: str
    url: str
    attempt: int
    secrets: tuple[str, ...]
    language: Language
    message: EventMessage | Notice


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. ``status`` is the HTTP or SMTP status, or None when there was no answer; then ``error`` says why."""

    at: datetime
    status: int | None
    error: str | None
    milliseconds: float
    succeeded: bool


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery with its attempts, oldest first. ``next_attempt_at`` is None once it has ended.

    ``kind`` is an event's, or a notice's; notices have neither event nor job.
    """

    id: UUID
    event_id: UUID | None
    job_id: UUID | None
    kind: str
    channel: Channel
    url: str
    state: DeliveryState
    attempts: tuple[Attempt, ...]
    created_at: datetime
    next_attempt_at: datetime | None
