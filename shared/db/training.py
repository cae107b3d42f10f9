"""Which documents may leave for training: those whose sender said yes, and has not said no since."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from operator import itemgetter
from uuid import UUID

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import distinct_on

from shared.db import audit
from shared.db.audit import Action, Actor
from shared.db.tables import clients, corrections, documents, jobs
from shared.domain.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class CorrectedJob:
    """A job whose corrections of these pages, by number, are the newest there are of its document's."""

    client_id: UUID
    id: UUID
    pages: frozenset[int]


def corrected_jobs(connection: Connection, client_name: str | None = None) -> list[CorrectedJob]:
    """Jobs that may be trained with and that a person corrected, newest first.

    A page of a document that was sent more than once is its newest correction's: two labels of one picture disagree.
    """
    same_page = (jobs.c.client_id, documents.c.sha256, corrections.c.page_number)
    wanted = (
        select(jobs.c.client_id, jobs.c.id, corrections.c.page_number)
        .join_from(corrections, jobs, jobs.c.id == corrections.c.job_id)
        .join(documents, documents.c.id == jobs.c.document_id)
        .where(jobs.c.training_consent)
        .ext(distinct_on(*same_page))
        .order_by(*same_page, corrections.c.saved_at.desc(), corrections.c.job_id.desc())
    )
    if client_name is not None:
        wanted = wanted.join(clients, clients.c.id == jobs.c.client_id).where(clients.c.name == client_name)
    pages: dict[tuple[UUID, UUID], set[int]] = defaultdict(set)
    for row in connection.execute(wanted):
        pages[row.client_id, row.id].add(row.page_number)
    newest_first = sorted(pages, key=itemgetter(1), reverse=True)
    return [CorrectedJob(*names, frozenset(pages[names])) for names in newest_first]


def still_allowed(connection: Connection, job_ids: Collection[UUID]) -> set[UUID]:
    """Those of the jobs that are there and may be trained with, now and until the transaction ends."""
    wanted = select(jobs.c.id).where(jobs.c.id.in_(job_ids), jobs.c.training_consent).order_by(jobs.c.id)
    return set(connection.execute(wanted.with_for_update(read=True)).scalars())


def set_consent(connection: Connection, actor: Actor, job_id: UUID, *, allowed: bool) -> None:
    """Say yes or no from now on. NotFoundError when the actor's client has no such job; on record when it changes."""
    mine = (jobs.c.id == job_id, jobs.c.client_id == actor.client_id)
    before = connection.execute(select(jobs.c.training_consent).where(*mine).with_for_update()).scalar_one_or_none()
    if before is None:
        raise NotFoundError(f"There is no job {job_id}.")
    if before != allowed:
        connection.execute(update(jobs).where(*mine).values(training_consent=allowed))
        audit.write(connection, actor, Action.TRAINING_ALLOWED if allowed else Action.TRAINING_FORBIDDEN, job_id)
