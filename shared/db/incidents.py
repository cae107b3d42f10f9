"""Single critical errors: noted when they happen, resolved when they are made good or have grown old."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection, and_, exists, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by

from shared.db.locks import AdvisoryLock
from shared.db.tables import deliveries, incidents, jobs
from shared.domain.delivery import DeliveryState
from shared.domain.ids import CLOCKS_APART, first_id_at, new_id
from shared.domain.job import JobState


class IncidentKind(StrEnum):
    """A job failed for a reason of ours after all its attempts; a delivery was given up."""

    JOB_GIVEN_UP = "job_given_up"
    DELIVERY_DEAD = "delivery_dead"


@dataclass(frozen=True, slots=True)
class Incident:
    """``subject`` is the job or the delivery. ``code`` is the job's error code or the delivery's channel."""

    kind: IncidentKind
    code: str
    subject: UUID
    detail: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """All incidents of one kind and code that are not closed. ``number`` of them are unresolved; 0: all is well."""

    kind: IncidentKind
    code: str
    number: int
    since: datetime
    latest: UUID
    detail: str


def note(connection: Connection, found: Sequence[Incident]) -> None:
    """Write them down."""
    if found:
        rows = [
            {"id": new_id(), "kind": one.kind, "code": one.code, "subject": one.subject, "detail": one.detail}
            for one in found
        ]
        connection.execute(insert(incidents), rows)


def was_mailed(connection: Connection, kind: IncidentKind, code: str, *, within_s: float) -> bool:
    """Whether a notice of this kind and code was written in the last ``within_s`` seconds.

    Whoever asks the same waits until this transaction ends: of two at once the second sees the first one's notice. Ask
    for several codes in their order, lest two transactions wait for each other.
    """
    pair = func.hashtext(f"{kind}/{code}")
    connection.execute(select(func.pg_advisory_xact_lock(AdvisoryLock.INCIDENT_MAIL, pair)))
    within = timedelta(seconds=within_s)
    recent = exists().where(
        deliveries.c.client_id.is_(None),
        # For the index, lest whoever waits at the lock wait for a look at all notices there are.
        deliveries.c.id >= first_id_at(datetime.now(UTC), -within - CLOCKS_APART),
        deliveries.c.notice["kind"].astext == kind,
        deliveries.c.notice["code"].astext == code,
        deliveries.c.created_at > func.now() - within,
    )
    return bool(connection.execute(select(recent)).scalar_one())


def resolve(connection: Connection, *, hold_s: float) -> None:
    """Resolve what was made good (replayed, erased) and what is older than ``hold_s``."""
    still_failed = exists().where(jobs.c.id == incidents.c.subject, jobs.c.state == JobState.FAILED)
    still_dead = exists().where(deliveries.c.id == incidents.c.subject, deliveries.c.state == DeliveryState.FAILED)
    over = or_(
        incidents.c.raised_at < func.now() - timedelta(seconds=hold_s),
        and_(incidents.c.kind == IncidentKind.JOB_GIVEN_UP, ~still_failed),
        and_(incidents.c.kind == IncidentKind.DELIVERY_DEAD, ~still_dead),
    )
    connection.execute(
        update(incidents)
        .where(incidents.c.closed_at.is_(None), incidents.c.resolved_at.is_(None), over)
        .values(resolved_at=func.now())
    )


def alarms(connection: Connection) -> list[Alarm]:
    """What Alertmanager is to know now, one a kind and code."""
    latest_first = incidents.c.raised_at.desc()
    rows = connection.execute(
        select(
            incidents.c.kind,
            incidents.c.code,
            (func.count() - func.count(incidents.c.resolved_at)).label("number"),
            func.min(incidents.c.raised_at).label("since"),
            func.array_agg(aggregate_order_by(incidents.c.subject, latest_first))[1].label("latest"),
            func.array_agg(aggregate_order_by(incidents.c.detail, latest_first))[1].label("detail"),
        )
        .where(incidents.c.closed_at.is_(None))
        .group_by(incidents.c.kind, incidents.c.code)
    )
    return [Alarm(IncidentKind(row.kind), row.code, row.number, row.since, row.latest, row.detail) for row in rows]


def close(connection: Connection, alarm: Alarm) -> None:
    """Alertmanager has been told that it is over; incidents noted meanwhile stay."""
    connection.execute(
        update(incidents)
        .where(
            incidents.c.kind == alarm.kind,
            incidents.c.code == alarm.code,
            incidents.c.closed_at.is_(None),
            incidents.c.resolved_at.is_not(None),
        )
        .values(closed_at=func.now())
    )
