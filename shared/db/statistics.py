"""Counts over a client's jobs: by day, by person, over all. Days are UTC's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Date, Double, Row, Select, cast, func, select

from shared.db.job_lists import JobFilter, conditions
from shared.db.tables import corrected_results, corrections, jobs
from shared.domain.job import JobState
from shared.domain.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Counts:
    """Jobs by outcome, and the seconds from submission to result (None when there is no result).

    Verdicts are a person's where one corrected the job, else the model's. ``corrections`` are saves of pages by people
    in the same time.
    """

    scans: int
    signed: int
    review: int
    unsigned: int
    failed: int
    median_s: float | None
    p95_s: float | None
    corrections: int = 0

    @property
    def signed_share(self) -> float | None:
        """Of the jobs with a verdict, 0..1."""
        decided = self.signed + self.review + self.unsigned
        return self.signed / decided if decided else None


def over_all(connection: Connection, client_id: UUID, which: JobFilter) -> Counts:
    """One line for everything the filter takes (times and person count; corrections by when they were saved)."""
    row = connection.execute(_counted(client_id, which)).one()
    return _to_counts(row, _corrections(connection, client_id, which, None).get(None, 0))


def by_day(connection: Connection, client_id: UUID, which: JobFilter) -> dict[date, Counts]:
    """A line for each day between ``which.created_from`` and ``created_until``, also for those without jobs."""
    if which.created_from is None or which.created_until is None:
        raise ValueError("statistics by day need a beginning and an end")
    day = _day_of(jobs.c.created_at)
    rows = connection.execute(_counted(client_id, which).add_columns(day.label("key")).group_by(day))
    corrected = _corrections(connection, client_id, which, _day_of(corrections.c.saved_at))
    found = {row.key: _to_counts(row, corrected.get(row.key, 0)) for row in rows}
    return {
        one: found.get(one) or Counts(0, 0, 0, 0, 0, None, None, corrected.get(one, 0))
        for one in _days(which.created_from, which.created_until)
    }


def by_person(connection: Connection, client_id: UUID, which: JobFilter) -> dict[UUID | None, Counts]:
    """A line for each account that submitted or corrected anything; None stands for jobs that came with a key."""
    person = jobs.c.account_id
    rows = connection.execute(_counted(client_id, which).add_columns(person.label("key")).group_by(person))
    corrected = _corrections(connection, client_id, which, corrections.c.author_id)
    found = {row.key: _to_counts(row, corrected.pop(row.key, 0)) for row in rows}
    return {**found, **{who: Counts(0, 0, 0, 0, 0, None, None, number) for who, number in corrected.items()}}


def _counted(client_id: UUID, which: JobFilter) -> Select[Any]:
    return with_corrections(*_columns()).where(jobs.c.client_id == client_id, *conditions(which))


def with_corrections(*columns: ColumnElement[Any]) -> Select[Any]:
    """These columns of jobs, each beside what people made of its result, if any did."""
    return select(*columns).outerjoin_from(jobs, corrected_results, corrected_results.c.job_id == jobs.c.id)


def standing_verdict() -> ColumnElement[str]:
    """A person's where one corrected the job, else the model's; for ``with_corrections``."""
    return func.coalesce(corrected_results.c.verdict, jobs.c.verdict)


def _columns() -> Sequence[ColumnElement[Any]]:
    # As floating point: sorting the exact numbers that "extract" gives takes twice as long.
    seconds = cast(func.extract("epoch", jobs.c.finished_at - jobs.c.created_at), Double)
    has_result = jobs.c.state == JobState.SUCCEEDED
    return (
        func.count().label("scans"),
        *(func.count().filter(standing_verdict() == verdict).label(verdict.value) for verdict in Verdict),
        func.count().filter(jobs.c.state == JobState.FAILED).label("failed"),
        func.percentile_cont(0.5).within_group(seconds).filter(has_result).label("median_s"),
        func.percentile_cont(0.95).within_group(seconds).filter(has_result).label("p95_s"),
    )


def _corrections(
    connection: Connection, client_id: UUID, which: JobFilter, key: ColumnElement[Any] | None
) -> dict[Any, int]:
    """Saves of pages by ``key`` (all under None without one)."""
    wanted = (
        select(func.count().label("number"))
        .join_from(corrections, jobs, jobs.c.id == corrections.c.job_id)
        .where(jobs.c.client_id == client_id)
    )
    if which.created_from:
        wanted = wanted.where(corrections.c.saved_at >= which.created_from)
    if which.created_until:
        wanted = wanted.where(corrections.c.saved_at < which.created_until)
    if which.account_id:
        wanted = wanted.where(corrections.c.author_id == which.account_id)
    if key is None:
        return {None: connection.execute(wanted).scalar_one()}
    rows = connection.execute(wanted.add_columns(key.label("key")).group_by(key))
    return {row.key: row.number for row in rows}


def _day_of(moment: ColumnElement[Any]) -> ColumnElement[date]:
    return cast(func.timezone("UTC", moment), Date)


def _days(start: datetime, end: datetime) -> list[date]:
    return [start.date() + timedelta(days=number) for number in range((end - start).days)]


def _to_counts(row: Row[Any], corrected: int) -> Counts:
    return Counts(
        scans=row.scans,
        signed=row.signed,
        review=row.review,
        unsigned=row.unsigned,
        failed=row.failed,
        median_s=None if row.median_s is None else float(row.median_s),
        p95_s=None if row.p95_s is None else float(row.p95_s),
        corrections=corrected,
    )
