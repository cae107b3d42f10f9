"""Deliveries as rows: what is to be sent to whom, what was sent, and sending it once more.

Taking due ones and storing attempts is ``shared.db.delivering``'s.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from shared.db import subscriptions
from shared.db.tables import deliveries, delivery_attempts, disabled_endpoints, events, jobs
from shared.domain.delivery import Attempt, Delivery, DeliveryState, Notice, WantedDelivery
from shared.domain.errors import ConflictError, NotFoundError
from shared.domain.events import EventKind
from shared.domain.ids import new_id
from shared.domain.subscription import Channel, Language

DEAD = (DeliveryState.FAILED, DeliveryState.DISABLED)


@dataclass(frozen=True, slots=True)
class PendingDeliveries:
    """How many wait, and how long the one that is most overdue has been due, in seconds (0 when none is)."""

    number: int
    overdue_s: float


def wanted(connection: Connection, event_ids: Sequence[UUID]) -> list[WantedDelivery]:
    """What jobs' callback URLs and clients' subscriptions ask to be told of these events, each address once an event.

    Locks these jobs against erasure until the transaction ends. Call it before the events are touched: erasing a job
    takes the locks in the same order.
    """
    found: dict[tuple[UUID, str], WantedDelivery] = {}
    for one in (*_callbacks(connection, event_ids), *subscriptions.wanted(connection, event_ids)):
        found.setdefault((one.event_id, one.url), one)
    return list(found.values())


def _callbacks(connection: Connection, event_ids: Sequence[UUID]) -> list[WantedDelivery]:
    outcomes = [kind for kind in EventKind if kind.is_outcome]
    rows = connection.execute(
        select(events.c.id, jobs.c.id.label("job_id"), jobs.c.client_id, jobs.c.callback_url)
        .join_from(events, jobs, jobs.c.id == events.c.job_id)
        .where(events.c.id.in_(event_ids), events.c.kind.in_(outcomes), jobs.c.callback_url.is_not(None))
        .order_by(jobs.c.id)
        .with_for_update(read=True, key_share=True, of=jobs)
    )
    return [WantedDelivery(row.id, row.job_id, row.client_id, row.callback_url) for row in rows]


def create(connection: Connection, asked: Sequence[WantedDelivery]) -> int:
    """Note deliveries to attempt at once; those to disabled endpoints end right here. Returns how many are pending."""
    if not asked:
        return 0
    disabled = _disabled_among(connection, asked)
    ended = [(one.client_id, one.url) in disabled for one in asked]
    rows = [_new_row(one, is_disabled=is_disabled) for one, is_disabled in zip(asked, ended, strict=True)]
    connection.execute(upsert(deliveries).values(next_attempt_at=func.now()).on_conflict_do_nothing(), rows)
    return len(rows) - sum(ended)


def _disabled_among(connection: Connection, asked: Iterable[WantedDelivery]) -> set[tuple[UUID, str]]:
    endpoint = tuple_(disabled_endpoints.c.client_id, disabled_endpoints.c.url)
    found = connection.execute(
        select(disabled_endpoints.c.client_id, disabled_endpoints.c.url).where(
            endpoint.in_({(one.client_id, one.url) for one in asked})
        )
    )
    return {(row.client_id, row.url) for row in found}


def _new_row(asked: WantedDelivery, *, is_disabled: bool) -> dict[str, Any]:
    return {
        "id": new_id(),
        "event_id": asked.event_id,
        "client_id": asked.client_id,
        "job_id": asked.job_id,
        "channel": asked.channel,
        "url": asked.url,
        "receiver": receiver_of(asked.url),
        "language": asked.language,
        "subscription_id": asked.subscription_id,
        "state": DeliveryState.DISABLED if is_disabled else DeliveryState.PENDING,
    }


def notify(connection: Connection, notice: Notice, addresses: Iterable[str], language: Language) -> None:
    """Note a mail of ``notice`` to each address of those who run this installation."""
    rows = [
        {
            "id": new_id(),
            "channel": Channel.EMAIL,
            "url": f"mailto:{address}",
            "receiver": receiver_of(f"mailto:{address}"),
            "language": language,
            "notice": {**notice.data, "kind": notice.kind},
            "state": DeliveryState.PENDING,
        }
        for address in addresses
    ]
    if rows:
        connection.execute(upsert(deliveries).values(next_attempt_at=func.now()), rows)


def receiver_of(url: str) -> str:
    """Host and port of a URL, in lower case; the domain of a mail address; what cannot be parsed stands for itself."""
    if url.startswith("mailto:"):
        return url.rpartition("@")[2].lower()
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower() or url
    except ValueError:
        return url


def of_job(connection: Connection, client_id: UUID, job_id: UUID) -> list[Delivery]:
    """A job's deliveries with their attempts, oldest first; none when it is not this client's job."""
    wanted_rows = _with_kind().where(deliveries.c.job_id == job_id, deliveries.c.client_id == client_id)
    return _read(connection, wanted_rows.order_by(deliveries.c.id))


def newest(
    connection: Connection,
    client_id: UUID | None,
    states: Sequence[DeliveryState] = (),
    *,
    before: UUID | None = None,
    limit: int = 50,
) -> list[Delivery]:
    """A client's deliveries with their attempts, newest first, older than the delivery ``before``.

    None for the client: the notices to those who run this installation.
    """
    chosen = _with_kind().where(_belongs_to(client_id))
    if states:
        chosen = chosen.where(deliveries.c.state.in_(states))
    if before is not None:
        chosen = chosen.where(deliveries.c.id < before)
    return _read(connection, chosen.order_by(deliveries.c.id.desc()).limit(limit))


def get(connection: Connection, client_id: UUID | None, delivery_id: UUID) -> Delivery:
    """One delivery of this client; NotFoundError when there is none."""
    found = _read(connection, _with_kind().where(deliveries.c.id == delivery_id, _belongs_to(client_id)))
    if not found:
        raise NotFoundError(f"There is no delivery {delivery_id}.")
    return found[0]


def replay(connection: Connection, client_id: UUID | None, delivery_id: UUID) -> Delivery:
    """Send an ended delivery once more, with all its attempts; its address is enabled again if it answered 410.

    ConflictError while it has not ended, NotFoundError when this client has no such delivery.
    """
    url = connection.execute(
        update(deliveries)
        .where(deliveries.c.id == delivery_id, _belongs_to(client_id), deliveries.c.state != DeliveryState.PENDING)
        .values(state=DeliveryState.PENDING, attempts=0, next_attempt_at=func.now(), finished_at=None)
        .returning(deliveries.c.url)
    ).scalar_one_or_none()
    found = get(connection, client_id, delivery_id)
    if url is None:
        raise ConflictError("The delivery is pending; it is being sent anyway.")
    if client_id is not None:
        subscriptions.enable(connection, client_id, url)
    return found


def _belongs_to(client_id: UUID | None) -> ColumnElement[bool]:
    return deliveries.c.client_id.is_(None) if client_id is None else deliveries.c.client_id == client_id


def _with_kind() -> Select[Any]:
    kind = func.coalesce(events.c.kind, deliveries.c.notice["kind"].astext)
    return select(deliveries, kind.label("kind")).outerjoin(events, events.c.id == deliveries.c.event_id)


def _read(connection: Connection, which: Select[Any]) -> list[Delivery]:
    rows = connection.execute(which).all()
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
    return Delivery(
        id=row.id,
        event_id=row.event_id,
        job_id=row.job_id,
        kind=row.kind,
        channel=Channel(row.channel),
        url=row.url,
        state=state,
        attempts=tuple(attempts),
        created_at=row.created_at,
        next_attempt_at=row.next_attempt_at if state is DeliveryState.PENDING else None,
    )


def pending(connection: Connection) -> dict[Channel, PendingDeliveries]:
    """Over all clients."""
    overdue = func.extract("epoch", func.now() - func.min(deliveries.c.next_attempt_at))
    rows = connection.execute(
        select(deliveries.c.channel, func.count().label("number"), overdue.label("overdue"))
        .where(deliveries.c.state == DeliveryState.PENDING)
        .group_by(deliveries.c.channel)
    )
    found = {row.channel: PendingDeliveries(row.number, max(float(row.overdue), 0.0)) for row in rows}
    return {channel: found.get(channel, PendingDeliveries(0, 0.0)) for channel in Channel}


def dead(connection: Connection) -> dict[Channel, int]:
    """How many have ended without arriving and were not replayed, over all clients."""
    rows = connection.execute(
        select(deliveries.c.channel, func.count().label("number"))
        .where(deliveries.c.state.in_(DEAD))
        .group_by(deliveries.c.channel)
    )
    found = {row.channel: row.number for row in rows}
    return {channel: found.get(channel, 0) for channel in Channel}
