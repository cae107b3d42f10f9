"""People: who they are, what their role lets them do. Their passwords come here as hashes only."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from shared.db import sessions
from shared.db.keys import Scope
from shared.db.tables import accounts, clients
from shared.domain.errors import ConflictError, NotFoundError
from shared.domain.ids import new_id

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")


class Role(StrEnum):
    """What a person does here."""

    OPERATOR = "operator"
    DATA_SCIENTIST = "data_scientist"
    ADMINISTRATOR = "administrator"


SCOPES: dict[Role, frozenset[Scope]] = {
    Role.OPERATOR: frozenset({Scope.SUBMIT, Scope.READ, Scope.REVIEW}),
    Role.DATA_SCIENTIST: frozenset({Scope.READ, Scope.REVIEW}),
    Role.ADMINISTRATOR: frozenset(Scope),
}


@dataclass(frozen=True, slots=True)
class Account:
    """One person, belonging to one client. ``language`` is None until chosen."""

    id: UUID
    client_id: UUID
    client_name: str
    email: str
    role: Role
    language: str | None
    created_at: datetime
    last_login_at: datetime | None
    disabled_at: datetime | None

    @property
    def scopes(self) -> frozenset[Scope]:
        """What the role lets this person do, in the API's words."""
        return SCOPES[self.role]


def create(connection: Connection, client_id: UUID, email: str, password_hash: str, role: Role) -> Account:
    """Make an account; ConflictError when the e-mail address has one already."""
    account_id = new_id()
    made = connection.execute(
        upsert(accounts)
        .values(id=account_id, client_id=client_id, email=normal_email(email), password_hash=password_hash, role=role)
        .on_conflict_do_nothing()
    )
    if not made.rowcount:
        raise ConflictError("There is an account with this e-mail address already.")
    return get(connection, client_id, account_id)


def normal_email(email: str) -> str:
    """The form an address is kept and compared in."""
    return email.strip().lower()


def is_email(text: str) -> bool:
    """Whether it looks like an address; only a letter to it could prove that it is one."""
    return len(text) <= 254 and text.isprintable() and _EMAIL.fullmatch(text) is not None


def with_hash(connection: Connection, email: str) -> tuple[Account, str] | None:
    """The account that may log in with this address, and its password's hash."""
    wanted = _accounts().where(accounts.c.email == normal_email(email), accounts.c.disabled_at.is_(None))
    row = connection.execute(wanted).one_or_none()
    return (to_account(row), row.password_hash) if row else None


def get(connection: Connection, client_id: UUID, account_id: UUID) -> Account:
    """An account of this client; NotFoundError when it has no such account."""
    wanted = _accounts().where(accounts.c.id == account_id, accounts.c.client_id == client_id)
    row = connection.execute(wanted).one_or_none()
    if row is None:
        raise NotFoundError("There is no such account.")
    return to_account(row)


def everyone(connection: Connection, client_id: UUID) -> list[Account]:
    """All accounts of a client, by address."""
    wanted = _accounts().where(accounts.c.client_id == client_id).order_by(accounts.c.email)
    return [to_account(row) for row in connection.execute(wanted)]


def emails(connection: Connection, client_id: UUID, account_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Addresses by id, for lists that name people."""
    wanted = select(accounts.c.id, accounts.c.email).where(
        accounts.c.client_id == client_id, accounts.c.id.in_(account_ids)
    )
    return {row.id: row.email for row in connection.execute(wanted)}


def note_login(connection: Connection, account_id: UUID) -> None:
    """Somebody logged in just now."""
    connection.execute(update(accounts).where(accounts.c.id == account_id).values(last_login_at=func.now()))


def set_language(connection: Connection, account_id: UUID, language: str) -> None:
    """Remember the language of the pages."""
    connection.execute(update(accounts).where(accounts.c.id == account_id).values(language=language))


def set_password(connection: Connection, account_id: UUID, password_hash: str) -> None:
    """Change the password; every session of the account ends."""
    connection.execute(update(accounts).where(accounts.c.id == account_id).values(password_hash=password_hash))
    sessions.close_all(connection, account_id)


def set_role(connection: Connection, client_id: UUID, account_id: UUID, role: Role) -> Account:
    """Give another role. ConflictError when the client would be left without an administrator."""
    _keep_an_administrator(connection, client_id, account_id, stays=role is Role.ADMINISTRATOR)
    get(connection, client_id, account_id)
    connection.execute(update(accounts).where(accounts.c.id == account_id).values(role=role))
    return get(connection, client_id, account_id)


def set_disabled(connection: Connection, client_id: UUID, account_id: UUID, *, disabled: bool) -> Account:
    """Lock an account out (its sessions end) or let it in again. ConflictError as with ``set_role``."""
    _keep_an_administrator(connection, client_id, account_id, stays=not disabled)
    get(connection, client_id, account_id)
    moment = func.now() if disabled else None
    connection.execute(update(accounts).where(accounts.c.id == account_id).values(disabled_at=moment))
    if disabled:
        sessions.close_all(connection, account_id)
    return get(connection, client_id, account_id)


def _keep_an_administrator(connection: Connection, client_id: UUID, account_id: UUID, *, stays: bool) -> None:
    """Locked rows: two administrators who demote each other at the same moment must not both succeed."""
    rows = connection.execute(
        select(accounts.c.id)
        .where(
            accounts.c.client_id == client_id,
            accounts.c.role == Role.ADMINISTRATOR,
            accounts.c.disabled_at.is_(None),
        )
        .order_by(accounts.c.id)
        .with_for_update()
    ).scalars()
    if not stays and set(rows) == {account_id}:
        raise ConflictError("This is the last administrator.")


def _accounts() -> Select[Any]:
    return select(accounts, clients.c.name.label("client_name")).join_from(accounts, clients)


def to_account(row: Row[Any]) -> Account:
    """The account of a row of ``accounts`` joined with its client."""
    return Account(
        id=row.id,
        client_id=row.client_id,
        client_name=row.client_name,
        email=row.email,
        role=Role(row.role),
        language=row.language,
        created_at=row.created_at,
        last_login_at=row.last_login_at,
        disabled_at=row.disabled_at,
    )
