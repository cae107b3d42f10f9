"""Clients and their API keys. A key is shown once, when made; the database holds its hash."""

import base64
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from shared.db.tables import api_keys, clients
from shared.domain.errors import NotFoundError
from shared.domain.ids import new_id


class Scope(StrEnum):
    """What a key may do: submit jobs, read results, correct them, manage keys."""

    SUBMIT = "submit"
    READ = "read"
    REVIEW = "review"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Client:
    """Whoever owns jobs and keys. ``webhook_secret`` signs what is delivered to it (Standard Webhooks)."""

    id: UUID
    name: str
    webhook_secret: str


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key, without its secret. ``prefix`` is its recognisable beginning.

    ``account_id`` is set where a person's session stands in for a key; ``id`` is then the account's, too.
    """

    id: UUID
    client_id: UUID
    client_name: str
    name: str
    prefix: str
    scopes: frozenset[Scope]
    requests_per_minute: int
    created_at: datetime
    revoked_at: datetime | None
    account_id: UUID | None = None


DEFAULT_REQUESTS_PER_MINUTE = 6000
_PREFIX_LENGTH = 12


def ensure_client(connection: Connection, name: str) -> Client:
    """The client of that name, made when there is none."""
    fresh = {"id": new_id(), "name": name, "webhook_secret": new_webhook_secret()}
    connection.execute(upsert(clients).values(**fresh).on_conflict_do_nothing())
    return _to_client(connection.execute(select(clients).where(clients.c.name == name)).one())


def client_named(connection: Connection, name: str) -> Client | None:
    """The client of that name, if there is one."""
    row = connection.execute(select(clients).where(clients.c.name == name)).one_or_none()
    return _to_client(row) if row else None


def new_webhook_secret() -> str:
    """A secret in the form of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def client(connection: Connection, client_id: UUID) -> Client:
    """The client with that id."""
    return _to_client(connection.execute(select(clients).where(clients.c.id == client_id)).one())


def create(
    connection: Connection,
    *,
    client_name: str,
    name: str,
    scopes: Sequence[Scope],
    requests_per_minute: int = DEFAULT_REQUESTS_PER_MINUTE,
) -> tuple[ApiKey, str]:
    """Make a key; returns it with the secret text, which is never to be had again."""
    text = new_key_text()
    made, _ = create_once(
        connection, text, client_name=client_name, name=name, scopes=scopes, requests_per_minute=requests_per_minute
    )
    return made, text


def create_once(
    connection: Connection,
    text: str,
    *,
    client_name: str,
    name: str,
    scopes: Sequence[Scope],
    requests_per_minute: int = DEFAULT_REQUESTS_PER_MINUTE,
) -> tuple[ApiKey, bool]:
    """The key with this secret text (from ``new_key_text``), and whether it was made now.

    For work that may be repeated: a text has one key, however often it is made.
    """
    owner = ensure_client(connection, client_name)
    inserted = connection.execute(
        upsert(api_keys)
        .values(
            id=new_id(),
            client_id=owner.id,
            name=name,
            prefix=text[:_PREFIX_LENGTH],
            secret_hash=_digest(text),
            scopes=sorted(scopes),
            requests_per_minute=requests_per_minute,
        )
        .on_conflict_do_nothing(index_elements=["secret_hash"])
    )
    key = _to_key(connection.execute(_keys().where(api_keys.c.secret_hash == _digest(text))).one())
    return key, bool(inserted.rowcount)


def new_key_text() -> str:
    """The secret of a key to be made."""
    return "pk_" + secrets.token_urlsafe(32)


def authenticate(connection: Connection, text: str) -> ApiKey | None:
    """The live key this text is the secret of."""
    wanted = _keys().where(api_keys.c.secret_hash == _digest(text), api_keys.c.revoked_at.is_(None))
    row = connection.execute(wanted).one_or_none()
    return _to_key(row) if row else None


def everyone(connection: Connection) -> list[ApiKey]:
    """All keys of all clients, newest first."""
    return [_to_key(row) for row in connection.execute(_keys().order_by(api_keys.c.id.desc()))]


def of_client(connection: Connection, client_id: UUID) -> list[ApiKey]:
    """All keys of a client, newest first."""
    wanted = _keys().where(api_keys.c.client_id == client_id).order_by(api_keys.c.id.desc())
    return [_to_key(row) for row in connection.execute(wanted)]


def revoke(connection: Connection, key_id: UUID, client_id: UUID | None = None) -> None:
    """End a key at once, only one of this client if given. NotFoundError when there is no such live key."""
    wanted = update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
    if client_id is not None:
        wanted = wanted.where(api_keys.c.client_id == client_id)
    if not connection.execute(wanted.values(revoked_at=func.now())).rowcount:
        raise NotFoundError(f"There is no live key {key_id}.")


def _digest(text: str) -> bytes:
    # Keys are 256 random bits: a plain hash cannot be searched, and a slow one would only slow every request.
    return hashlib.sha256(text.encode()).digest()


def _keys() -> Select[Any]:
    return select(api_keys, clients.c.name.label("client_name")).join_from(api_keys, clients)


def _to_client(row: Row[Any]) -> Client:
    return Client(row.id, row.name, row.webhook_secret)


def _to_key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        client_id=row.client_id,
        client_name=row.client_name,
        name=row.name,
        prefix=row.prefix,
        scopes=frozenset(Scope(scope) for scope in row.scopes),
        requests_per_minute=row.requests_per_minute,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )
