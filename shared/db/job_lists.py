"""Lists of jobs: newest first, filtered, paged by the last id seen, so that a page costs the same at any depth."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Table, UnaryExpression, cast, or_, select, union_all
from sqlalchemy.dialects.postgresql import TSQUERY

from shared.db.jobs import to_job, with_document
from shared.db.tables import corrected_results, jobs
from shared.domain.detection import Tone
from shared.domain.ids import CLOCKS_APART, first_id_at
from shared.domain.job import Job, JobState


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list; times are [from, until), counts [min, max].

    ``metadata`` pairs a key the job's metadata must have with the values it may have there (none given: any).
    ``words`` must all begin some word of file name or metadata. Verdicts and counts are the model's; ``as_corrected``,
    a person's where one corrected the job.
    """

    states: Sequence[JobState] = ()
    verdicts: Sequence[str] = ()
    tones: Sequence[Tone] = ()
    created_from: datetime | None = None
    created_until: datetime | None = None
    metadata: Sequence[tuple[str, Sequence[Any]]] = ()
    model: str | None = None
    min_count: int | None = None
    max_count: int | None = None
    account_id: UUID | None = None
    words: Sequence[str] = ()
    as_corrected: bool = False


@dataclass(frozen=True, slots=True)
class JobPage:
    """A piece of a list, newest first, and whether there is more on either side."""

    jobs: Sequence[Job]
    has_newer: bool
    has_older: bool


def newest(
    connection: Connection, client_id: UUID, which: JobFilter, *, before: UUID | None = None, limit: int = 50
) -> list[Job]:
    """Newest first, at most ``limit``, older than the job ``before``; without their results."""
    beyond = [jobs.c.id < before] if before else []
    return _first(connection, [jobs.c.client_id == client_id, *beyond], which, jobs.c.id.desc(), limit)


def page(
    connection: Connection,
    client_id: UUID,
    which: JobFilter,
    *,
    before: UUID | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> JobPage:
    """The jobs next older than ``before``, or next newer than ``after``, or the newest; always newest first."""
    if after is None:
        found = newest(connection, client_id, which, before=before, limit=limit + 1)
        return JobPage(found[:limit], has_newer=before is not None, has_older=len(found) > limit)
    newer = [jobs.c.client_id == client_id, jobs.c.id > after]
    found = _first(connection, newer, which, jobs.c.id.asc(), limit + 1)
    return JobPage(found[:limit][::-1], has_newer=len(found) > limit, has_older=True)


def _first(
    connection: Connection,
    among: Sequence[ColumnElement[bool]],
    which: JobFilter,
    order: UnaryExpression[UUID],
    limit: int,
) -> list[Job]:
    """The first in this order. Each way to fit brings as many, read along its own index; then the first of them all."""
    ways = [select(jobs.c.id).where(*among, *way).order_by(order).limit(limit) for way in _ways(which)]
    found = union_all(*(way.subquery().select() for way in ways))
    rows = connection.execute(with_document().where(jobs.c.id.in_(found)).order_by(order).limit(limit))
    return [to_job(row) for row in rows]


def corrected(connection: Connection, job_ids: Sequence[UUID]) -> dict[UUID, tuple[str, int]]:
    """Verdict and count of those of the jobs that a person has corrected."""
    wanted = select(corrected_results).where(corrected_results.c.job_id.in_(job_ids))
    return {row.job_id: (row.verdict, row.signature_count) for row in connection.execute(wanted)}


def some(connection: Connection, client_id: UUID, job_ids: Sequence[UUID]) -> list[Job]:
    """Those of these jobs that the client has, in no order; without their results."""
    wanted = with_document().where(jobs.c.client_id == client_id, jobs.c.id.in_(job_ids))
    return [to_job(row) for row in connection.execute(wanted)]


def models(connection: Connection, client_id: UUID) -> list[str]:
    """The models a client's jobs have asked for, found by skipping from one to the next."""
    found: list[str] = []
    wanted = select(jobs.c.model).where(jobs.c.client_id == client_id).order_by(jobs.c.model).limit(1)
    name = connection.execute(wanted).scalar()
    while name is not None and len(found) < 100:
        found.append(name)
        name = connection.execute(wanted.where(jobs.c.model > name)).scalar()
    return found


def conditions(which: JobFilter) -> list[ColumnElement[bool]]:
    """What the filter asks of a job itself, whatever its result."""
    found = _times(which)
    if which.states:
        found.append(jobs.c.state.in_(which.states))
    if which.tones:
        found.append(jobs.c.tone.in_(which.tones))
    if which.model is not None:
        found.append(jobs.c.model == which.model)
    if which.account_id is not None:
        found.append(jobs.c.account_id == which.account_id)
    if which.words:
        # Words are letters and digits only: nothing in them can be taken for an operator.
        query = " & ".join(f"'{word}':*" for word in which.words)
        found.append(jobs.c.search.op("@@")(cast(query, TSQUERY)))
    return [*found, *(_metadata_condition(key, values) for key, values in which.metadata)]


def _ways(which: JobFilter) -> Iterator[list[ColumnElement[bool]]]:
    """The filter as conditions on ``jobs``; a job fits in one of the ways, by the model's result or by a person's."""
    own, by_model = conditions(which), _result(which, jobs)
    if not (which.as_corrected and by_model):
        yield [*own, *by_model]
        return
    correction = select(corrected_results.c.job_id).where(corrected_results.c.job_id == jobs.c.id)
    yield [*own, *by_model, ~correction.exists()]
    yield [*own, correction.where(*_result(which, corrected_results)).exists()]


def _times(which: JobFilter) -> list[ColumnElement[bool]]:
    """Times twice: exactly, and by the ids, which the lists' indexes are sorted by."""
    found = []
    if which.created_from:
        found += [
            jobs.c.created_at >= which.created_from,
            jobs.c.id >= first_id_at(which.created_from, -CLOCKS_APART),
        ]
    if which.created_until:
        found += [
            jobs.c.created_at < which.created_until,
            jobs.c.id < first_id_at(which.created_until, CLOCKS_APART),
        ]
    return found


def _result(which: JobFilter, result: Table) -> list[ColumnElement[bool]]:
    """What it asks of a result: the model's lies in ``jobs``, a person's in ``corrected_results``."""
    found: list[ColumnElement[bool]] = []
    if which.verdicts:
        found.append(result.c.verdict.in_(which.verdicts))
    if which.min_count is not None:
        found.append(result.c.signature_count >= which.min_count)
    if which.max_count is not None:
        found.append(result.c.signature_count <= which.max_count)
    return found


def _metadata_condition(key: str, values: Sequence[Any]) -> ColumnElement[bool]:
    if not values:
        present: ColumnElement[bool] = jobs.c.metadata.has_key(key)
        return present
    return or_(*(jobs.c.metadata.contains({key: value}) for value in values))
