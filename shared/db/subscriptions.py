"""Subscriptions of clients, and the secret their webhooks are signed with."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, and_, any_, case, delete, func, insert, literal, select, update

from shared.db.tables import clients, deliveries, disabled_endpoints, events, jobs, subscriptions
from shared.domain.delivery import DeliveryState, WantedDelivery
from shared.domain.errors import ConflictError, NotFoundError
from shared.domain.events import EventKind
from shared.domain.ids import new_id
from shared.domain.subscription import Channel, Language, Subscription, channel_of

MOST_A_CLIENT = 50


def add(
    connection: Connection,
    client_id: UUID,
    *,
    url: str,
    kinds: Iterable[EventKind],
    language: Language = Language.ENGLISH,
) -> Subscription:
    """Note a wish; an address that had answered 410 is sent to again. ConflictError: there already, or too many."""
    connection.execute(select(clients.c.id).where(clients.c.id == client_id).with_for_update())
    existing = of_client(connection, client_id)
    if any(one.url == url for one in existing):
        raise ConflictError(f"There is a subscription for {url} already; remove it first.")
    if len(existing) >= MOST_A_CLIENT:
        raise ConflictError(f"A client may have {MOST_A_CLIENT} subscriptions.")
    made = new_id()
    connection.execute(
        insert(subscriptions).values(
            id=made,
            client_id=client_id,
            channel=channel_of(url),
            url=url,
            kinds=sorted(kinds),
            language=language,
        )
    )
    enable(connection, client_id, url)
    return _to_subscription(connection.execute(_with_disabled().where(subscriptions.c.id == made)).one())


def of_client(connection: Connection, client_id: UUID) -> list[Subscription]:
    """A client's subscriptions, oldest first."""
    rows = connection.execute(
        _with_disabled().where(subscriptions.c.client_id == client_id).order_by(subscriptions.c.id)
    )
    return [_to_subscription(row) for row in rows]


def remove(connection: Connection, client_id: UUID, subscription_id: UUID) -> None:
    """End it, with what is still to be sent for it. NotFoundError when this client has no such subscription."""
    removed = connection.execute(
        delete(subscriptions).where(subscriptions.c.id == subscription_id, subscriptions.c.client_id == client_id)
    )
    if not removed.rowcount:
        raise NotFoundError(f"There is no subscription {subscription_id}.")
    connection.execute(
        update(deliveries)
        .where(deliveries.c.subscription_id == subscription_id, deliveries.c.state == DeliveryState.PENDING)
        .values(state=DeliveryState.DISABLED, finished_at=func.now())
    )


def enable(connection: Connection, client_id: UUID, url: str) -> None:
    """Send to an address again that had answered 410."""
    connection.execute(
        delete(disabled_endpoints).where(disabled_endpoints.c.client_id == client_id, disabled_endpoints.c.url == url)
    )


def wanted(connection: Connection, event_ids: Sequence[UUID]) -> list[WantedDelivery]:
    """What subscriptions ask to be told of these events.

    Locks the events' jobs against erasure until the transaction ends; of a job that is gone only its erasure is told.
    """
    rows = connection.execute(
        select(
            events.c.id.label("event_id"),
            events.c.job_id,
            events.c.kind,
            subscriptions.c.id.label("subscription_id"),
            subscriptions.c.client_id,
            subscriptions.c.url,
            subscriptions.c.channel,
            subscriptions.c.language,
        )
        .join_from(
            events,
            subscriptions,
            and_(subscriptions.c.client_id == events.c.client_id, events.c.kind == any_(subscriptions.c.kinds)),
        )
        .where(events.c.id.in_(event_ids))
    ).all()
    kept = _lock_jobs(connection, {row.job_id for row in rows})
    return [_to_wanted(row) for row in rows if row.job_id in kept or row.kind == EventKind.JOB_ERASED]


def _lock_jobs(connection: Connection, job_ids: set[UUID]) -> set[UUID]:
    if not job_ids:
        return set()
    wanted_jobs = select(jobs.c.id).where(jobs.c.id.in_(job_ids)).order_by(jobs.c.id)
    return set(connection.execute(wanted_jobs.with_for_update(read=True, key_share=True)).scalars())


def _to_wanted(row: Any) -> WantedDelivery:
    return WantedDelivery(
        event_id=row.event_id,
        job_id=row.job_id,
        client_id=row.client_id,
        url=row.url,
        channel=Channel(row.channel),
        language=Language(row.language),
        subscription_id=row.subscription_id,
    )


def rotate_secret(connection: Connection, client_id: UUID, new: str, *, overlap: timedelta) -> tuple[datetime, bool]:
    """Give the client the secret ``new``; the one before signs beside it for ``overlap``.

    Returns the end of that, and whether anything changed: giving the same secret again, as work does that is repeated,
    changes nothing. An older one, still valid from a rotation before, ends here: there are never more than two.
    """
    rotated = connection.execute(
        update(clients)
        .where(clients.c.id == client_id, clients.c.webhook_secret != new)
        .values(
            previous_webhook_secret=clients.c.webhook_secret,
            previous_secret_until=func.now() + overlap,
            webhook_secret=new,
        )
    )
    until = select(clients.c.previous_secret_until).where(clients.c.id == client_id)
    end: datetime = connection.execute(until).scalar_one()
    return end, bool(rotated.rowcount)


def valid_previous_secret() -> Any:
    """SQL: a client's secret before the last rotation while it is still valid, else null."""
    return case((clients.c.previous_secret_until > func.now(), clients.c.previous_webhook_secret), else_=literal(None))


def _with_disabled() -> Select[Any]:
    same_address = and_(
        disabled_endpoints.c.client_id == subscriptions.c.client_id, disabled_endpoints.c.url == subscriptions.c.url
    )
    return select(subscriptions, disabled_endpoints.c.disabled_at).outerjoin(disabled_endpoints, same_address)


def _to_subscription(row: Row[Any]) -> Subscription:
    return Subscription(
        id=row.id,
        client_id=row.client_id,
        channel=Channel(row.channel),
        url=row.url,
        kinds=frozenset(EventKind(kind) for kind in row.kinds),
        language=Language(row.language),
        created_at=row.created_at,
        disabled_at=row.disabled_at,
    )
