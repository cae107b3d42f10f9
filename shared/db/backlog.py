"""How much work waits and runs, over all clients."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from shared.db.tables import jobs
from shared.domain.job import JobState


@dataclass(frozen=True, slots=True)
class Backlog:
    """Jobs waiting and being worked on; how long the oldest waiting one has waited (0 when none does)."""

    queued: int
    processing: int
    oldest_queued_s: float


def measure(connection: Connection) -> Backlog:
    """Counted in the database: what workers have fetched ahead is not on the broker's lists any more."""
    age = func.extract("epoch", func.now() - func.min(jobs.c.queued_at))
    rows = connection.execute(
        select(jobs.c.state, func.count().label("number"), age.label("age"))
        .where(jobs.c.state.in_((JobState.QUEUED, JobState.PROCESSING)))
        .group_by(jobs.c.state)
    )
    found = {row.state: row for row in rows}
    queued, processing = found.get(JobState.QUEUED), found.get(JobState.PROCESSING)
    return Backlog(
        queued=queued.number if queued else 0,
        processing=processing.number if processing else 0,
        oldest_queued_s=max(float(queued.age), 0.0) if queued else 0.0,
    )
