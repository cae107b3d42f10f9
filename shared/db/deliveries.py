"""Deliveries: what is to be sent to a callback URL about a job's outcome, and every attempt at it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, insert, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from shared.db.tables import clients, deliveries, delivery_attempts, disabled_endpoints, events, jobs
from shared.domain.delivery import Attempt, Callback, Delivery, DeliveryState, DueDelivery
from shared.domain.events import EventKind
from shared.domain.ids import new_id

Receiver = tuple[UUID, str]
"""A client and the host (with port) its callback lies at: who may be slow without delaying the others."""


@dataclass(frozen=True, slots=True)
class PendingDeliveries:
    """How many wait, and how long the one that is most overdue has been due, in seconds (0 when none is)."""

    number: int
    overdue_s: float


def callbacks(connection: Connection, event_ids: Sequence[UUID]) -> list[Callback]:
    """The callbacks of those events that are outcomes of jobs with a callback URL.

    Locks these jobs against erasure until the transaction ends. Call it before the events are touched: erasing a job
    takes the locks in the same order.
    """
    outcomes = [kind for kind in EventKind if kind.is_outcome]
    rows = connection.execute(
        select(events.c.id, jobs.c.id.label("job_id"), jobs.c.client_id, jobs.c.callback_url)
        .join_from(events, jobs, jobs.c.id == events.c.job_id)
        .where(events.c.id.in_(event_ids), events.c.kind.in_(outcomes), jobs.c.callback_url.is_not(None))
        .order_by(jobs.c.id)
        .with_for_update(read=True, key_share=True, of=jobs)
    )
    return [Callback(row.id, row.job_id, row.client_id, row.callback_url) for row in rows]


def create(connection: Connection, wanted: Sequence[Callback]) -> int:
    """Note deliveries to attempt at once; those to disabled endpoints end right here. Returns how many are pending."""
    if not wanted:
        return 0
    disabled = _disabled_among(connection, wanted)
    ended = [(one.client_id, one.url) in disabled for one in wanted]
    rows = [_new_row(one, is_disabled=is_disabled) for one, is_disabled in zip(wanted, ended, strict=True)]
    connection.execute(upsert(deliveries).values(next_attempt_at=func.now()).on_conflict_do_nothing(), rows)
    return len(rows) - sum(ended)


def _disabled_among(connection: Connection, wanted: Iterable[Callback]) -> set[tuple[UUID, str]]:
    endpoint = tuple_(disabled_endpoints.c.client_id, disabled_endpoints.c.url)
    asked = {(one.client_id, one.url) for one in wanted}
    found = connection.execute(
        select(disabled_endpoints.c.client_id, disabled_endpoints.c.url).where(endpoint.in_(asked))
    )
    return {(row.client_id, row.url) for row in found}


def _new_row(callback: Callback, *, is_disabled: bool) -> dict[str, Any]:
    return {
        "id": new_id(),
        "event_id": callback.event_id,
        "client_id": callback.client_id,
        "job_id": callback.job_id,
        "url": callback.url,
        "receiver": receiver_of(callback.url),
        "state": DeliveryState.DISABLED if is_disabled else DeliveryState.PENDING,
    }


def receiver_of(url: str) -> str:
    """Host and port of a URL, in lower case; a URL that cannot be parsed stands for itself."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower() or url
    except ValueError:
        return url


def take_due(
    connection: Connection, *, limit: int, per_receiver: int, busy: Mapping[Receiver, int], lease_s: float
) -> list[DueDelivery]:
    """Deliveries to attempt now, the longest due first, at most ``limit``.

    Of one receiver at most ``per_receiver``, less what is under way there already (``busy``). They come up again after
    ``lease_s``: whoever takes them and dies loses nothing.
    """
    taken = connection.execute(_due_ids(limit, per_receiver, busy)).scalars().all()
    if not taken:
        return []
    connection.execute(
        update(deliveries)
        .where(deliveries.c.id.in_(taken))
        .values(next_attempt_at=func.now() + timedelta(seconds=lease_s))
    )
    rows = connection.execute(
        select(
            deliveries,
            clients.c.webhook_secret,
            events.c.kind,
            events.c.occurred_at,
            events.c.data,
            jobs.c.metadata.label("job_metadata"),
        )
        .join_from(deliveries, events, events.c.id == deliveries.c.event_id)
        .join(jobs, jobs.c.id == deliveries.c.job_id)
        .join(clients, clients.c.id == deliveries.c.client_id)
        .where(deliveries.c.id.in_(taken))
        .order_by(deliveries.c.id)
    )
    return [_to_due(row) for row in rows]


def _due_ids(limit: int, per_receiver: int, busy: Mapping[Receiver, int]) -> Any:
    is_due = and_(deliveries.c.state == DeliveryState.PENDING, deliveries.c.next_attempt_at <= func.now())
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
        client_id=row.client_id,
        receiver=row.receiver,
        url=row.url,
        attempt=row.attempts + 1,
        secret=row.webhook_secret,
        event_id=row.event_id,
        kind=EventKind(row.kind),
        occurred_at=row.occurred_at,
        job_id=row.job_id,
        data=row.data,
        metadata=row.job_metadata,
    )


def finish(connection: Connection, due: DueDelivery, attempt: Attempt, state: DeliveryState) -> bool:
    """Store the last attempt with the outcome; False when the delivery is gone (its job was erased).

    DISABLED also ends every other pending delivery of this client to this URL, and those to come.
    """
    if state is DeliveryState.DISABLED:
        _lock_pending_to(connection, due)
    if not _store(connection, due, attempt, {"state": state, "finished_at": func.now()}):
        return False
    if state is DeliveryState.DISABLED:
        _disable(connection, due)
    return True


def retry(connection: Connection, due: DueDelivery, attempt: Attempt, *, wait_s: float) -> bool:
    """Store a failed attempt; the next one comes after ``wait_s``. False when the delivery is gone."""
    return _store(connection, due, attempt, {"next_attempt_at": func.now() + timedelta(seconds=wait_s)})


def _store(connection: Connection, due: DueDelivery, attempt: Attempt, changes: Mapping[str, Any]) -> bool:
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
    if row.state == DeliveryState.PENDING and row.attempts == due.attempt - 1:
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


def of_job(connection: Connection, client_id: UUID, job_id: UUID) -> list[Delivery]:
    """A job's deliveries with their attempts, oldest first; none when it is not this client's job."""
    rows = connection.execute(
        select(deliveries)
        .where(deliveries.c.job_id == job_id, deliveries.c.client_id == client_id)
        .order_by(deliveries.c.id)
    ).all()
    attempts = _attempts_of(connection, [row.id for row in rows])
    return [_to_delivery(row, attempts[row.id]) for row in rows]


def _attempts_of(connection: Connection, delivery_ids: Sequence[UUID]) -> Mapping[UUID, list[Attempt]]:
    found: dict[UUID, list[Attempt]] = defaultdict(list)
    rows = connection.execute(
        select(delivery_attempts)
        .where(delivery_attempts.c.delivery_id.in_(delivery_ids))
        .order_by(delivery_attempts.c.at, delivery_attempts.c.id)
    )
    for row in rows:
        found[row.delivery_id].append(Attempt(row.at, row.status, row.error, row.milliseconds, row.succeeded))
    return found


def _to_delivery(row: Row[Any], attempts: Sequence[Attempt]) -> Delivery:
    state = DeliveryState(row.state)
    next_attempt_at = row.next_attempt_at if state is DeliveryState.PENDING else None
    return Delivery(row.id, row.event_id, row.url, state, tuple(attempts), next_attempt_at)


def pending(connection: Connection) -> PendingDeliveries:
    """Over all clients."""
    overdue = func.extract("epoch", func.now() - func.min(deliveries.c.next_attempt_at))
    row = connection.execute(
        select(func.count().label("number"), overdue.label("overdue")).where(
            deliveries.c.state == DeliveryState.PENDING
        )
    ).one()
    return PendingDeliveries(row.number, max(float(row.overdue), 0.0) if row.overdue is not None else 0.0)
