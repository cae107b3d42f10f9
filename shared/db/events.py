"""Event rows: every transition of every job, in order."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, insert, select, update

from shared.db import outbox
from shared.db.tables import events
from shared.domain.events import Event, EventKind
from shared.domain.ids import new_id

# Every insert into the table notifies this Postgres channel with the job's id (a trigger made by the migrations), so
# that whoever waits for a job learns of its next step at once.
NOTIFY_CHANNEL = "paraphe_jobs"


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
    """Mark events as recorded by the notifier; returns those that had not been (repeats are dropped here)."""
    fresh = connection.execute(
        update(events)
        .where(events.c.id.in_(event_ids), events.c.recorded_at.is_(None))
        .values(recorded_at=func.now())
        .returning(events)
    ).all()
    outbox.settle(connection, outbox.Topic.EVENT, event_ids)
    return sorted((_to_event(row) for row in fresh), key=lambda event: event.sequence)


def _to_event(row: Row[Any]) -> Event:
    return Event(row.id, row.sequence, EventKind(row.kind), row.job_id, row.client_id, row.occurred_at, row.data)
