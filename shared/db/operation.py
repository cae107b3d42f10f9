"""How the system is doing, as far as the database tells: what waits, what runs, who has gone silent."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, select, text

from shared.db import backlog
from shared.db.backlog import Backlog
from shared.db.locks import AdvisoryLock
from shared.db.outbox import Topic
from shared.db.tables import jobs, outbox
from shared.domain.ids import first_id_at
from shared.domain.job import JobState


@dataclass(frozen=True, slots=True)
class Operation:
    """Over all clients. Ages in seconds, 0 when nothing waits.

    ``finished``, ``failed`` and ``last_result_at`` (None: no result) are of the last hour's jobs, ``unrecorded`` are
    events the notifier has not taken yet.
    """

    backlog: Backlog
    unrecorded: int
    oldest_unrecorded_s: float
    reconciler_leads: bool
    finished: int
    failed: int
    last_result_at: datetime | None


def look(connection: Connection) -> Operation:
    """Measure now."""
    age = func.extract("epoch", func.now() - func.min(outbox.c.created_at))
    events = connection.execute(
        select(func.count().label("number"), age.label("age")).where(outbox.c.topic == Topic.EVENT)
    ).one()
    recent = connection.execute(
        select(
            func.count().filter(jobs.c.state == JobState.SUCCEEDED).label("finished"),
            func.count().filter(jobs.c.state == JobState.FAILED).label("failed"),
            func.max(jobs.c.finished_at).label("last"),
        ).where(jobs.c.id >= first_id_at(datetime.now(UTC), -timedelta(hours=1)))
    ).one()
    return Operation(
        backlog=backlog.measure(connection),
        unrecorded=events.number,
        oldest_unrecorded_s=max(float(events.age or 0), 0.0),
        reconciler_leads=_is_held(connection, AdvisoryLock.RECONCILER),
        finished=recent.finished,
        failed=recent.failed,
        last_result_at=recent.last,
    )


def _is_held(connection: Connection, number: int) -> bool:
    """Whether some session of this database holds the advisory lock."""
    # Of this database alone: others on the same server may hold locks of the same number.
    held = text(
        "select count(*) from pg_locks join pg_database on pg_database.oid = pg_locks.database "
        "where locktype = 'advisory' and granted and objid = :number and datname = current_database()"
    )
    return bool(connection.execute(held, {"number": number}).scalar_one())
