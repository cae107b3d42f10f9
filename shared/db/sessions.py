"""Sessions in the browser: a random cookie, its hash here, an end by idleness and one by age."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from shared.db.tables import accounts, clients, sessions


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """A session ends after so many seconds without activity, and in any case at this age."""

    idle_s: float
    age_s: float


# Writing every request's moment would make readers into writers; a fiftieth of the idle time is exact enough: a session
# may end by so much before the page that counts along.
_TOUCH_SHARE = 0.02


def open_one(connection: Connection, account_id: UUID, limits: SessionLimits) -> str:
    """Begin a session; returns the cookie's value. Whatever has ended is swept away with the opportunity."""
    connection.execute(delete(sessions).where(~_is_live(limits)))
    token = secrets.token_urlsafe(32)
    connection.execute(insert(sessions).values(token_hash=_digest(token), account_id=account_id))
    return token


def find(connection: Connection, token: str, limits: SessionLimits) -> Row[Any] | None:
    """The account's row of a live session, with ``client_name`` and ``last_seen_at``. Does not prolong it."""
    return connection.execute(
        select(accounts, clients.c.name.label("client_name"), sessions.c.last_seen_at)
        .join_from(sessions, accounts)
        .join(clients, clients.c.id == accounts.c.client_id)
        .where(sessions.c.token_hash == _digest(token), _is_live(limits), accounts.c.disabled_at.is_(None))
    ).one_or_none()


def touch(connection: Connection, token: str, last_seen_at: datetime, limits: SessionLimits) -> None:
    """There was activity: the idle time begins anew."""
    stale = sessions.c.last_seen_at < func.now() - timedelta(seconds=limits.idle_s * _TOUCH_SHARE)
    connection.execute(
        update(sessions)
        .where(sessions.c.token_hash == _digest(token), sessions.c.last_seen_at == last_seen_at, stale)
        .values(last_seen_at=func.now())
    )


def close(connection: Connection, token: str) -> None:
    """End one session; one that has ended is fine."""
    connection.execute(delete(sessions).where(sessions.c.token_hash == _digest(token)))


def close_all(connection: Connection, account_id: UUID) -> None:
    """End every session of an account."""
    connection.execute(delete(sessions).where(sessions.c.account_id == account_id))


def _is_live(limits: SessionLimits) -> ColumnElement[bool]:
    seen = sessions.c.last_seen_at > func.now() - timedelta(seconds=limits.idle_s)
    return seen & (sessions.c.created_at > func.now() - timedelta(seconds=limits.age_s))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
