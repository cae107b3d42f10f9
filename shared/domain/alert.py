"""An alert, as Alertmanager tells of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AlertState(StrEnum):
    """``firing → resolved``; the same alert firing again later is another one."""

    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Alert:
    """``fingerprint`` is Alertmanager's name for the set of labels. ``ends_at`` is None while it fires."""

    fingerprint: str
    name: str
    severity: str
    state: AlertState
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    ends_at: datetime | None
