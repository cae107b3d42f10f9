"""Messages whose effect has not been seen yet.

A row is written in the same transaction as the fact it announces and deleted in the transaction that acts on it (the
claim of a job, the recording of an event) or leaves nothing to act on (a job's end by cancel or erasure). Until then it
is sent again whenever it may have been lost, so Redis may forget anything at any moment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from shared.db.tables import outbox
from shared.domain.job import Priority


class Topic(StrEnum):
    """What kind of message: ``job`` (subject: job id) to a detector, ``event`` (subject: event id) to the notifier."""

    JOB = "job"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Message:
    """One message to send."""

    topic: Topic
    subject: UUID
    priority: Priority = Priority.NORMAL


def write(connection: Connection, messages: Sequence[Message], *, resend_after_s: float) -> None:
    """Note messages the writer will send itself right after its commit; the reconciler steps in if that is not seen."""
    _insert(connection, messages, sends=1, wait_s=resend_after_s)


def schedule(connection: Connection, message: Message, *, wait_s: float) -> None:
    """Note a message for the reconciler to send once ``wait_s`` have passed (a retry with backoff)."""
    _insert(connection, [message], sends=0, wait_s=wait_s)


def _insert(connection: Connection, messages: Iterable[Message], *, sends: int, wait_s: float) -> None:
    rows = [{"topic": one.topic, "subject": one.subject, "priority": one.priority} for one in messages]
    if not rows:
        return
    # Rows as parameters: written into the statement they would make a new one to compile each time.
    new = insert(outbox).values(sends=sends, send_after=func.now() + timedelta(seconds=wait_s))
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["topic", "subject"],
            set_={"sends": new.excluded.sends, "send_after": new.excluded.send_after},
        ),
        rows,
    )


def settle(connection: Connection, topic: Topic, subjects: Sequence[UUID]) -> None:
    """The receiver has acted on these: nothing is left to send."""
    connection.execute(delete(outbox).where(outbox.c.topic == topic, outbox.c.subject.in_(subjects)))


def take_due(
    connection: Connection, topic: Topic, *, lost_at_most: int, resend_after_s: float, limit: int = 500
) -> list[Message]:
    """Messages to send now: scheduled ones that are due, and at most ``lost_at_most`` that may have been lost.

    Marks them as sent. Rows another reconciler holds are skipped.
    """
    first = _due_ids(topic, outbox.c.sends == 0, limit)
    again = _due_ids(topic, outbox.c.sends > 0, min(limit, max(lost_at_most, 0)))
    taken = [row.id for part in (first, again) for row in connection.execute(part)]
    if not taken:
        return []
    rows = connection.execute(
        update(outbox)
        .where(outbox.c.id.in_(taken))
        .values(sends=outbox.c.sends + 1, send_after=func.now() + timedelta(seconds=resend_after_s))
        .returning(outbox.c.topic, outbox.c.subject, outbox.c.priority)
    )
    return [Message(Topic(row.topic), row.subject, Priority(row.priority)) for row in rows]


def _due_ids(topic: Topic, which: ColumnElement[bool], limit: int) -> Select[int]:
    return (
        select(outbox.c.id)
        .where(outbox.c.topic == topic, outbox.c.send_after <= func.now(), which)
        .order_by(outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def outstanding(connection: Connection, topic: Topic) -> int:
    """How many sent messages have not been acted on."""
    counted = select(func.count()).select_from(outbox).where(outbox.c.topic == topic, outbox.c.sends > 0)
    return connection.execute(counted).scalar_one()
