"""Event rows: every transition of every job, in order."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, case, exists, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB

from shared.db import outbox
from shared.db.tables import events, jobs
from shared.domain.events import Event, EventKind
from shared.domain.ids import new_id

# Every insert into the table notifies this Postgres channel with the job's id (a trigger made by the migrations), so
# that whoever waits for a job learns of its next step at once.
NOTIFY_CHANNEL = "paraphe_jobs"

# What metrics are made of: codes and numbers.
_FIGURES = ("code", "seconds", "model", "verdict", "count", "pages", "changes")


def append(
    connection: Connection, kind: EventKind, *, job_id: UUID, client_id: UUID, run: int, data: dict[str, Any]
) -> outbox.Message:
    """Write the event row; returns the message to write to the outbox and, after the commit, to send."""
    event_id = new_id()
    connection.execute(
        insert(events).values(id=event_id, kind=kind, job_id=job_id, client_id=client_id, run=run, data=data)
    )
    return outbox.Message(outbox.Topic.EVENT, event_id)


def of_job(connection: Connection, job_id: UUID, *, after_sequence: int = 0) -> list[Event]:
    """A job's events, oldest first."""
    wanted = select(events).where(events.c.job_id == job_id, events.c.sequence > after_sequence)
    return [_to_event(row) for row in connection.execute(wanted.order_by(events.c.sequence))]


def record(connection: Connection, event_ids: Sequence[UUID]) -> list[Event]:
    """Mark events as recorded by the notifier; returns those that had not been (repeats are dropped here).

    Of an erased job's they are returned with their figures, which then go, too.
    """
    fresh = connection.execute(
        update(events)
        .where(events.c.id.in_(event_ids), events.c.recorded_at.is_(None))
        .values(recorded_at=func.now())
        .returning(events)
    ).all()
    is_erased = ~exists().where(jobs.c.id == events.c.job_id)
    connection.execute(update(events).where(events.c.id.in_(event_ids), events.c.data != {}, is_erased).values(data={}))
    outbox.settle(connection, outbox.Topic.EVENT, event_ids)
    return sorted((_to_event(row) for row in fresh), key=lambda event: event.sequence)


def clear(connection: Connection, job_id: UUID) -> None:
    """Take from a job's events what they say, as it is erased; call it once the job's row is deleted.

    The figures of those not recorded yet stay until ``record``: it comes a moment later, and could count nothing.
    """
    named = (part for name in _FIGURES for part in (name, events.c.data[name]))
    figures = func.jsonb_strip_nulls(func.jsonb_build_object(*named))
    connection.execute(
        update(events)
        .where(events.c.job_id == job_id)
        .values(data=case((events.c.recorded_at.is_(None), figures), else_=literal({}, JSONB)))
    )


def _to_event(row: Row[Any]) -> Event:
    return Event(row.id, row.sequence, EventKind(row.kind), row.job_id, row.client_id, row.occurred_at, row.data)
