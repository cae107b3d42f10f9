"""Presigned uploads: a name in the object store a client may PUT a large file to before making a job of it.

One job: that is when the upload is used up, and its bytes are the job's alone, to be erased with it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, select, update

from shared.db import jobs
from shared.db.jobs import IdempotencyMismatchError
from shared.db.tables import jobs as job_rows
from shared.db.tables import uploads
from shared.domain.errors import NotFoundError
from shared.domain.ids import comes_from, new_id
from shared.domain.job import Job

UPLOADS = "uploads/"


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
    return f"{UPLOADS}{client_id}/{upload_id}"


def upload_of_object(name: str) -> tuple[UUID, UUID] | None:
    """The inverse: client and upload of ``uploads/<client>/<upload>``; None for any other name."""
    parts = name.split("/")
    if len(parts) != 3 or f"{parts[0]}/" != UPLOADS:
        return None
    try:
        return UUID(parts[1]), UUID(parts[2])
    except ValueError:
        return None


def create(connection: Connection, client_id: UUID, filename: str | None, expires: timedelta) -> Upload:
    """Note a new upload."""
    row = connection.execute(
        insert(uploads)
        .values(id=new_id(), client_id=client_id, filename=filename, expires_at=func.now() + expires)
        .returning(uploads)
    ).one()
    return Upload(row.id, row.client_id, row.filename, row.expires_at)


def get(connection: Connection, client_id: UUID, upload_id: UUID) -> Upload:
    """This client's upload; NotFoundError when there is none, or it has expired or been used up."""
    row = connection.execute(
        select(uploads).where(
            uploads.c.id == upload_id, uploads.c.client_id == client_id, uploads.c.expires_at > func.now()
        )
    ).one_or_none()
    if row is None:
        raise _missing(upload_id)
    return Upload(row.id, row.client_id, row.filename, row.expires_at)


def use_up(connection: Connection, upload_id: UUID) -> None:
    """No other job may be made of it; NotFoundError when there is nothing left to use.

    It is as if it had expired long ago: should its object survive this, the next look for expired uploads finds it.
    """
    used = update(uploads).where(uploads.c.id == upload_id, uploads.c.expires_at > func.now())
    if not connection.execute(used.values(expires_at=uploads.c.created_at)).rowcount:
        raise _missing(upload_id)


def _missing(upload_id: UUID) -> NotFoundError:
    return NotFoundError(f"There is no upload {upload_id}: it has expired, or a job was made of it before.")


def job_made_of(connection: Connection, client_id: UUID, upload_id: UUID, idempotency_key: str) -> Job | None:
    """The job this key made of this upload, also when the upload is long gone; None when the key is a new one.

    IdempotencyMismatchError when the key was for something else.
    """
    wanted = select(job_rows.c.id).where(
        job_rows.c.client_id == client_id, job_rows.c.idempotency_key == idempotency_key
    )
    job_id = connection.execute(wanted).scalar_one_or_none()
    if job_id is None:
        return None
    if not comes_from(job_id, upload_id):
        raise IdempotencyMismatchError
    return jobs.get(connection, client_id, job_id)


def take_expired(connection: Connection, limit: int = 100) -> list[Upload]:
    """Remove and return uploads that have expired or been used up; the caller deletes their objects."""
    expired = select(uploads.c.id).where(uploads.c.expires_at < func.now()).limit(limit)
    rows = connection.execute(
        delete(uploads).where(uploads.c.id.in_(expired.with_for_update(skip_locked=True))).returning(uploads)
    )
    return [Upload(row.id, row.client_id, row.filename, row.expires_at) for row in rows]
