"""Taking due deliveries and storing what came of the attempts."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from shared.db.subscriptions import valid_previous_secret
from shared.db.tables import clients, deliveries, delivery_attempts, disabled_endpoints, events, jobs
from shared.domain.delivery import Attempt, DeliveryState, DueDelivery, EventMessage, Notice, NoticeKind
from shared.domain.events import EventKind
from shared.domain.ids import new_id
from shared.domain.subscription import Channel, Language

Receiver = tuple[UUID | None, str]
"""A client and the host (with port) an address lies at: who may be slow without delaying the others."""


def take_due(
    connection: Connection,
    channel: Channel,
    *,
    limit: int,
    per_receiver: int,
    busy: Mapping[Receiver, int],
    lease_s: float,
) -> list[DueDelivery]:
    """Deliveries by ``channel`` to attempt now, the longest due first, at most ``limit``.

    Of one receiver at most ``per_receiver``, less what is under way there already (``busy``). They come up again after
    ``lease_s``: whoever takes them and dies loses nothing.
    """
    taken = connection.execute(_due_ids(channel, limit, per_receiver, busy)).scalars().all()
    if not taken:
        return []
    connection.execute(
        update(deliveries)
        .where(deliveries.c.id.in_(taken))
        .values(next_attempt_at=func.now() + timedelta(seconds=lease_s))
    )
    rows = connection.execute(_with_messages().where(deliveries.c.id.in_(taken)).order_by(deliveries.c.id))
    return [_to_due(row) for row in rows]


def _with_messages() -> Any:
    """Outer joins: a notice has no event and no client, and an erased job's last event has no job."""
    return (
        select(
            deliveries,
            clients.c.webhook_secret,
            valid_previous_secret().label("previous_secret"),
            events.c.kind,
            events.c.occurred_at,
            events.c.data,
            jobs.c.metadata.label("job_metadata"),
        )
        .select_from(deliveries)
        .outerjoin(events, events.c.id == deliveries.c.event_id)
        .outerjoin(jobs, jobs.c.id == deliveries.c.job_id)
        .outerjoin(clients, clients.c.id == deliveries.c.client_id)
    )


def _due_ids(channel: Channel, limit: int, per_receiver: int, busy: Mapping[Receiver, int]) -> Any:
    is_due = and_(
        deliveries.c.state == DeliveryState.PENDING,
        deliveries.c.next_attempt_at <= func.now(),
        deliveries.c.channel == channel,
    )
    place = func.row_number().over(
        partition_by=(deliveries.c.client_id, deliveries.c.receiver),
        order_by=(deliveries.c.next_attempt_at, deliveries.c.id),
    )
    ranked = select(deliveries.c.id, place.label("place")).where(is_due).subquery()
    return (
        select(deliveries.c.id)
        .join_from(deliveries, ranked, ranked.c.id == deliveries.c.id)
        # Asked again on the row itself: another replica may have taken it since it was ranked.
        .where(is_due, ranked.c.place <= _room(per_receiver, busy))
        .order_by(deliveries.c.next_attempt_at, deliveries.c.id)
        .limit(limit)
        .with_for_update(of=deliveries, skip_locked=True)
    )


def _room(per_receiver: int, busy: Mapping[Receiver, int]) -> ColumnElement[int]:
    if not busy:
        return literal(per_receiver)
    taken = [
        (and_(deliveries.c.client_id == client_id, deliveries.c.receiver == receiver), per_receiver - number)
        for (client_id, receiver), number in busy.items()
    ]
    return case(*taken, else_=per_receiver)


def _to_due(row: Row[Any]) -> DueDelivery:
    return DueDelivery(
        id=row.id,
        channel=Channel(row.channel),
        client_id=row.client_id,
        receiver=row.receiver,
        url=row.url,
        attempt=row.attempts + 1,
        secrets=tuple(secret for secret in (row.webhook_secret, row.previous_secret) if secret),
        language=Language(row.language) if row.language else Language.ENGLISH,
        message=_to_message(row),
    )


def _to_message(row: Row[Any]) -> EventMessage | Notice:
    if row.event_id is None:
        return Notice(NoticeKind(row.notice["kind"]), row.notice)
    return EventMessage(
        event_id=row.event_id,
        kind=EventKind(row.kind),
        occurred_at=row.occurred_at,
        job_id=row.job_id,
        data=row.data,
        metadata=row.job_metadata or {},
    )


def finish(connection: Connection, due: DueDelivery, attempt: Attempt, state: DeliveryState) -> bool:
    """Store the last attempt with the outcome; False when the delivery has ended otherwise, or is gone (with its job).

    DISABLED also ends every other pending delivery of this client to this URL, and those to come.
    """
    if state is DeliveryState.DISABLED:
        _lock_pending_to(connection, due)
    if not _store(connection, due, attempt, {"state": state, "finished_at": func.now()}):
        return False
    if state is DeliveryState.DISABLED:
        _disable(connection, due)
    return True


def retry(connection: Connection, due: DueDelivery, attempt: Attempt, *, wait_s: float) -> None:
    """Store a failed attempt; the next one comes after ``wait_s``."""
    _store(connection, due, attempt, {"next_attempt_at": func.now() + timedelta(seconds=wait_s)})


def _store(connection: Connection, due: DueDelivery, attempt: Attempt, changes: Mapping[str, Any]) -> bool:
    """Whether ``changes`` were made."""
    row = connection.execute(
        select(deliveries.c.state, deliveries.c.attempts).where(deliveries.c.id == due.id).with_for_update()
    ).one_or_none()
    if row is None:
        return False
    connection.execute(
        insert(delivery_attempts).values(
            id=new_id(),
            delivery_id=due.id,
            at=attempt.at,
            status=attempt.status,
            error=attempt.error,
            milliseconds=attempt.milliseconds,
            succeeded=attempt.succeeded,
        )
    )
    # Somebody else may have ended it, or taken it over when this attempt outlived its lease: theirs stands.
    if row.state != DeliveryState.PENDING or row.attempts != due.attempt - 1:
        return False
    connection.execute(update(deliveries).where(deliveries.c.id == due.id).values(attempts=due.attempt, **changes))
    return True


def _lock_pending_to(connection: Connection, due: DueDelivery) -> None:
    """In one order for everybody, or two attempts that both meet a 410 would wait for each other's rows."""
    connection.execute(select(deliveries.c.id).where(_pending_to(due)).order_by(deliveries.c.id).with_for_update())


def _disable(connection: Connection, due: DueDelivery) -> None:
    connection.execute(
        upsert(disabled_endpoints)
        .values(client_id=due.client_id, url=due.url, reason="The receiver answered 410 (Gone).")
        .on_conflict_do_nothing()
    )
    connection.execute(
        update(deliveries).where(_pending_to(due)).values(state=DeliveryState.DISABLED, finished_at=func.now())
    )


def _pending_to(due: DueDelivery) -> ColumnElement[bool]:
    return and_(
        deliveries.c.client_id == due.client_id,
        deliveries.c.url == due.url,
        deliveries.c.state == DeliveryState.PENDING,
    )
