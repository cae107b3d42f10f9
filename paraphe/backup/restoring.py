"""Restoring, and putting right what has happened since the backup was made."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection, select

from paraphe.backup.database import Database
from paraphe.backup.errors import BackupError
from paraphe.backup.manifest import Manifest
from shared.db import jobs as job_store
from shared.db.audit import Actor
from shared.db.engine import transact
from shared.db.jobs import NewJob
from shared.db.migrate import migrate
from shared.db.tables import clients, documents, jobs
from shared.domain.document_name import DOCUMENTS, DocumentName, document_name
from shared.domain.ids import CLOCKS_APART, first_id_at
from shared.domain.job import Document, JobOptions
from shared.objects import ObjectStore
from shared.pages.sniff import HEAD_BYTES, media_type
from shared.settings import JobSettings, ModelSettings

_PATIENCE_S = 3.0
RECOVERED = {"recovered": True}
"""Metadata of jobs made anew from their documents, by which they are found."""


@dataclass(frozen=True, slots=True)
class Restoration:
    """``queued_again``: jobs accepted after the backup, made anew from their documents.

    ``unclaimed``: documents nobody can be asked about: of clients made after the backup, or of no type we take.
    ``without_document``: jobs whose document is not in the store: erased after the backup, or lost.
    """

    manifest: Manifest
    queued_again: tuple[UUID, ...]
    unclaimed: tuple[str, ...]
    without_document: tuple[UUID, ...]


def restore(
    folder: Path, database: Database, store: ObjectStore, *, replace: bool, erase_missing: bool, settings: JobSettings
) -> Restoration:
    """Restore the database as a whole, bring it to this version's schema, and queue again what it does not know of.

    BackupError, with nothing changed, when the backup is damaged, when services are connected, or when there are jobs
    that would be lost and ``replace`` does not allow it. ``erase_missing`` erases jobs without document once more.
    """
    manifest = Manifest.read(folder)
    manifest.check_files(folder)
    _check_target(database, replace)
    database.replace(folder, manifest)
    migrate(database.engine)
    queued, unclaimed = _queue_again(database, store, manifest, settings)
    missing = _without_document(database, store)
    if erase_missing:
        for client_id, job_id in missing:
            erase = partial(job_store.erase, actor=Actor(client_id), job_id=job_id, settings=settings)
            transact(database.engine, erase)
    return Restoration(manifest, tuple(queued), tuple(unclaimed), tuple(job_id for _, job_id in missing))


def _check_target(database: Database, replace: bool) -> None:
    number = database.number_of_jobs()
    if number and not replace:
        raise BackupError(f"The database holds {number} jobs, which would be gone. Say --replace if that is meant.")
    deadline = time.monotonic() + _PATIENCE_S  # a session that has just ended is still seen for a moment
    while users := database.users():
        if time.monotonic() > deadline:
            raise BackupError(f"Stop the services first; connected to the database: {', '.join(users)}.")
        time.sleep(0.1)


def _queue_again(
    database: Database, store: ObjectStore, manifest: Manifest, settings: JobSettings
) -> tuple[list[UUID], list[str]]:
    """Documents stored since the backup whose jobs the dump does not know, and so not the model they named either."""
    model = ModelSettings().default
    queued: list[UUID] = []
    unclaimed: list[str] = []
    oldest = first_id_at(manifest.made_at, -CLOCKS_APART)
    for name, size in store.listing(DOCUMENTS):
        found = document_name(name)
        if found is None or found.job_id < oldest:
            continue
        with database.engine.begin() as connection:
            if _is_known(connection, found.job_id):
                continue
            document = _document(store, name, found, size) if _has_client(connection, found.client_id) else None
            if document is None:
                unclaimed.append(name)
                continue
            job_store.accept(connection, NewJob(document, model, JobOptions(metadata=dict(RECOVERED))), settings)
            queued.append(found.job_id)
    return queued, unclaimed


def _is_known(connection: Connection, job_id: UUID) -> bool:
    return connection.execute(select(jobs.c.id).where(jobs.c.id == job_id)).one_or_none() is not None


def _has_client(connection: Connection, client_id: UUID) -> bool:
    return connection.execute(select(clients.c.id).where(clients.c.id == client_id)).one_or_none() is not None


def _document(store: ObjectStore, name: str, found: DocumentName, size: int) -> Document | None:
    kind = media_type(_head(store.read(name)))
    return Document(found.job_id, found.client_id, found.sha256, size, kind) if kind else None


def _head(chunks: Iterator[bytes]) -> bytes:
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= HEAD_BYTES:
            break
    return head


def _without_document(database: Database, store: ObjectStore) -> list[tuple[UUID, UUID]]:
    """(client, job) of every job whose document the store does not have."""
    present = {found.job_id for name, _ in store.listing(DOCUMENTS) if (found := document_name(name))}
    with database.engine.connect() as connection:
        rows = connection.execute(select(jobs.c.client_id, jobs.c.id).join_from(jobs, documents).order_by(jobs.c.id))
        return [(row.client_id, row.id) for row in rows if row.id not in present]
