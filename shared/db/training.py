"""Which documents may leave for training: those whose sender said yes, and has not said no since."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection, select, update

from shared.db import audit
from shared.db.audit import Action, Actor
from shared.db.tables import clients, corrections, jobs
from shared.domain.errors import NotFoundError


def corrected_jobs(connection: Connection, client_name: str | None = None) -> list[tuple[UUID, UUID]]:
    """``(client id, job id)`` of every job that may be trained with and that a person corrected, newest first."""
    wanted = (
        select(jobs.c.client_id, jobs.c.id)
        .where(jobs.c.training_consent, select(corrections.c.job_id).where(corrections.c.job_id == jobs.c.id).exists())
        .order_by(jobs.c.id.desc())
    )
    if client_name is not None:
        wanted = wanted.join(clients, clients.c.id == jobs.c.client_id).where(clients.c.name == client_name)
    return [(row.client_id, row.id) for row in connection.execute(wanted)]


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
