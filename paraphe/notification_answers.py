"""Subscriptions, deliveries and alerts as the API answers them, as typed values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.domain.alert import Alert, AlertState
from shared.domain.delivery import DeliveryState
from shared.domain.subscription import Channel

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where a client is told of which events. ``disabled_at``: since when the address says it is gone (410)."""

    id: str
    channel: Channel
    url: str
    kinds: tuple[str, ...]
    language: str
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way. ``said`` is what its last attempt came to; ``raw`` is the JSON as it came."""

    id: str
    job_id: str | None
    kind: str
    channel: Channel
    url: str
    state: DeliveryState
    attempts: int
    said: str
    created_at: datetime
    next_attempt_at: datetime | None
    raw: Json


def subscription_from_json(body: Json) -> Subscription:
    """Read one subscription."""
    return Subscription(
        id=body["id"],
        channel=Channel(body["channel"]),
        url=body["url"],
        kinds=tuple(body["kinds"]),
        language=body["language"],
        disabled_at=_moment(body.get("disabled_at")),
    )


def delivery_from_json(body: Json) -> Delivery:
    """Read one delivery of a list, or one replayed."""
    attempts = body["attempts"]
    last = attempts[-1] if attempts else {}
    return Delivery(
        id=body["id"],
        job_id=body.get("job_id"),
        kind=body["kind"],
        channel=Channel(body["channel"]),
        url=body["url"],
        state=DeliveryState(body["state"]),
        attempts=len(attempts),
        said=str(last.get("error") or last.get("status") or ""),
        created_at=datetime.fromisoformat(body["created_at"]),
        next_attempt_at=_moment(body.get("next_attempt_at")),
        raw=body,
    )


def alert_from_json(body: Json) -> Alert:
    """Read one alert."""
    return Alert(
        fingerprint=body["fingerprint"],
        name=body["name"],
        severity=body["severity"],
        state=AlertState(body["state"]),
        labels=dict(body["labels"]),
        annotations=dict(body["annotations"]),
        starts_at=datetime.fromisoformat(body["starts_at"]),
        ends_at=_moment(body.get("ends_at")),
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
