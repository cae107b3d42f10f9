"""Presigned uploads: a name in the object store a client may PUT a large file to before making a job of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, select

from shared.db.tables import uploads
from shared.domain.errors import NotFoundError
from shared.domain.ids import new_id


@dataclass(frozen=True, slots=True)
class Upload:
    """One place to upload to, until it expires."""

    id: UUID
    client_id: UUID
    filename: str | None
    expires_at: datetime

    @property
    def object_name(self) -> str:
        """Its key in the object store."""
        return upload_object_name(self.client_id, self.id)


def upload_object_name(client_id: UUID, upload_id: UUID) -> str:
    """Key in the object store an upload is PUT to."""
    return f"uploads/{client_id}/{upload_id}"


def create(connection: Connection, client_id: UUID, filename: str | None, expires: timedelta) -> Upload:
    """Note a new upload."""
    row = connection.execute(
        insert(uploads)
        .values(id=new_id(), client_id=client_id, filename=filename, expires_at=func.now() + expires)
        .returning(uploads)
    ).one()
    return Upload(row.id, row.client_id, row.filename, row.expires_at)


def get(connection: Connection, client_id: UUID, upload_id: UUID) -> Upload:
    """This client's upload; NotFoundError when there is none or it has expired."""
    row = connection.execute(
        select(uploads).where(
            uploads.c.id == upload_id, uploads.c.client_id == client_id, uploads.c.expires_at > func.now()
        )
    ).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no upload {upload_id}, or it has expired.")
    return Upload(row.id, row.client_id, row.filename, row.expires_at)


def take_expired(connection: Connection, limit: int = 100) -> list[Upload]:
    """Remove and return uploads that have expired; the caller deletes their objects."""
    expired = select(uploads.c.id).where(uploads.c.expires_at < func.now()).limit(limit)
    rows = connection.execute(
        delete(uploads).where(uploads.c.id.in_(expired.with_for_update(skip_locked=True))).returning(uploads)
    )
    return [Upload(row.id, row.client_id, row.filename, row.expires_at) for row in rows]
