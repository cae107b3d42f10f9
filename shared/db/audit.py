"""The audit log: who did what to whom, kept when its subject is gone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, insert, or_, select

from shared.db.tables import accounts, api_keys, audit_lines
from shared.domain.ids import new_id


class Action(StrEnum):
    """What is worth a line."""

    JOB_ERASED = "job.erased"
    JOB_REPLAYED = "job.replayed"
    ACCOUNT_CREATED = "account.created"
    ACCOUNT_ROLE = "account.role_changed"
    ACCOUNT_DISABLED = "account.disabled"
    ACCOUNT_ENABLED = "account.enabled"
    ACCOUNT_PASSWORD = "account.password_changed"  # noqa: S105 - the name of an action
    ACCOUNT_LOGIN = "account.logged_in"
    KEY_CREATED = "key.created"
    KEY_REVOKED = "key.revoked"
    SUBSCRIPTION_ADDED = "subscription.added"
    SUBSCRIPTION_REMOVED = "subscription.removed"
    SECRET_ROTATED = "webhook_secret.rotated"  # noqa: S105 - the name of an action
    DELIVERY_REPLAYED = "delivery.replayed"
    HISTORY_EXPORTED = "history.exported"
    DELIVERIES_ERASED = "deliveries.erased"
    INCIDENTS_ERASED = "incidents.erased"
    ALERTS_ERASED = "alerts.erased"
    TRAINING_ALLOWED = "job.training_allowed"
    TRAINING_FORBIDDEN = "job.training_forbidden"
    TRAINING_EXPORTED = "job.exported_for_training"
    AUDIT_EXPORTED = "audit.exported"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a key or an account of a client; neither when the system itself does."""

    client_id: UUID
    key_id: UUID | None = None
    account_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One line. ``who`` is an e-mail address or a key's beginning, None for the system itself or who is gone."""

    id: UUID
    at: datetime
    who: str | None
    action: str
    subject: str
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which lines: of one action, with ``part`` in who did it or in what it was done to, within a span of time."""

    action: str | None = None
    part: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """What of it restricts anything, as SQL."""
        wanted = []
        if self.action is not None:
            wanted.append(audit_lines.c.action == self.action)
        if self.part:
            places = (audit_lines.c.subject, accounts.c.email, api_keys.c.prefix)
            wanted.append(or_(*(place.icontains(self.part, autoescape=True) for place in places)))
        if self.since is not None:
            wanted.append(audit_lines.c.at >= self.since)
        if self.until is not None:
            wanted.append(audit_lines.c.at < self.until)
        return wanted


EVERYTHING = AuditFilter()


def write(connection: Connection, actor: Actor, action: Action, subject: object, **detail: Any) -> None:
    """Add a line, in the transaction of what it tells about."""
    who = {"client_id": actor.client_id, "key_id": actor.key_id, "account_id": actor.account_id}
    _add(connection, who, action, subject, detail)


def write_for_system(
    connection: Connection, client_id: UUID | None, action: Action, subject: object, **detail: Any
) -> None:
    """Add a line on what the system did by itself, to what is a client's or (None) the whole installation's."""
    _add(connection, {"client_id": client_id}, action, subject, detail)


def _add(
    connection: Connection, who: Mapping[str, UUID | None], action: Action, subject: object, detail: Mapping[str, Any]
) -> None:
    connection.execute(
        insert(audit_lines).values(id=new_id(), action=action, subject=str(subject), detail=dict(detail), **who)
    )


def newest(
    connection: Connection,
    client_id: UUID,
    which: AuditFilter = EVERYTHING,
    *,
    before: UUID | None = None,
    limit: int = 50,
) -> list[AuditLine]:
    """A client's lines that the filter takes, newest first, older than the line ``before``."""
    wanted = (
        select(audit_lines, accounts.c.email, api_keys.c.prefix)
        .outerjoin(accounts, accounts.c.id == audit_lines.c.account_id)
        .outerjoin(api_keys, api_keys.c.id == audit_lines.c.key_id)
        .where(audit_lines.c.client_id == client_id, *which.conditions())
    )
    if before is not None:
        wanted = wanted.where(audit_lines.c.id < before)
    rows = connection.execute(wanted.order_by(audit_lines.c.id.desc()).limit(limit))
    return [AuditLine(row.id, row.at, row.email or row.prefix, row.action, row.subject, row.detail) for row in rows]
