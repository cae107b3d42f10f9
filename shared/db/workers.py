"""Which detector workers are alive, and what each holds: one row a worker, written by itself with every heartbeat.

For people only. Who may write a job's outcome is decided by its lease, never by what stands here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from shared.db.tables import workers

# A worker that was killed is shown as silent for this long, so that somebody may learn of it.
REMEMBERED = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """What a worker says of itself. ``threads``: jobs it can hold at once; ``job_ids``: those it holds."""

    id: UUID
    name: str
    model: str
    device: str
    threads: int
    job_ids: Sequence[UUID] = ()


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker's last report, when it started, when it was last heard of, and how many seconds ago that is."""

    report: WorkerReport
    started_at: datetime
    seen_at: datetime
    silent_s: float


def report(connection: Connection, said: WorkerReport) -> None:
    """Note that the worker is alive; the first time, drop those that nobody has heard of for long."""
    now = {"model": said.model, "jobs": list(said.job_ids), "seen_at": func.now()}
    is_first = connection.execute(
        upsert(workers)
        .values(id=said.id, name=said.name, device=said.device, threads=said.threads, **now)
        .on_conflict_do_update(index_elements=["id"], set_=now)
        .returning(workers.c.started_at == workers.c.seen_at)
    ).scalar_one()
    if is_first:
        connection.execute(delete(workers).where(workers.c.seen_at < func.now() - REMEMBERED))


def leave(connection: Connection, worker_id: UUID) -> None:
    """Forget a worker that has ended in good order."""
    connection.execute(delete(workers).where(workers.c.id == worker_id))


def known(connection: Connection) -> list[Worker]:
    """Those heard of lately, longest at work first."""
    silent = func.extract("epoch", func.now() - workers.c.seen_at).label("silent_s")
    rows = connection.execute(
        select(workers, silent).where(workers.c.seen_at > func.now() - REMEMBERED).order_by(workers.c.started_at)
    )
    return [
        Worker(
            WorkerReport(row.id, row.name, row.model, row.device, row.threads, tuple(row.jobs)),
            row.started_at,
            row.seen_at,
            float(row.silent_s),
        )
        for row in rows
    ]
