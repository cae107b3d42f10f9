"""Jobs as their client sees them: accept, read, list, cancel, replay, erase."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from shared.db import audit, events, outbox
from shared.db.audit import Action, Actor
from shared.db.results import result_of
from shared.db.tables import deliveries, documents, jobs
from shared.domain.detection import Tone
from shared.domain.errors import ConflictError, NotFoundError
from shared.domain.events import EventKind
from shared.domain.job import Document, Job, JobFailure, JobOptions, JobResult, JobState, Priority
from shared.domain.json_forms import requirements_from_json, requirements_to_json
from shared.domain.search_words import search_words
from shared.settings import JobSettings


@dataclass(frozen=True, slots=True)
class NewJob:
    """Everything the acceptance of a job writes. ``fingerprint`` identifies content and options for idempotency."""

    document: Document
    model: str
    options: JobOptions
    request_id: str | None = None
    idempotency_key: str | None = None
    fingerprint: str | None = None
    account_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The job, and the messages to send now that it is committed. None to send when the job was there already."""

    job: Job
    messages: tuple[outbox.Message, ...]

    @property
    def is_new(self) -> bool:
        """False when the idempotency key had been used before."""
        return bool(self.messages)


class IdempotencyMismatchError(Exception):
    """The idempotency key was used before, with other content or options."""


def accept(connection: Connection, new: NewJob, settings: JobSettings) -> Acceptance:
    """Write document, job, event and outbox rows; safe to repeat with the same document id.

    Raises IdempotencyMismatchError when the key belongs to a different request.
    """
    job = _insert_job(connection, new, settings)
    if job is None:
        return Acceptance(_job_of_key(connection, new), ())
    event = events.append(connection, EventKind.JOB_QUEUED, job_id=job.id, client_id=job.client_id, run=1, data={})
    messages = (outbox.Message(outbox.Topic.JOB, job.id, new.options.priority), event)
    outbox.write(connection, messages, resend_after_s=settings.resend_after_s)
    return Acceptance(job, messages)


def _insert_job(connection: Connection, new: NewJob, settings: JobSettings) -> Job | None:
    """Document and job in one statement, for every accepted upload pays for the round trips here."""
    document, options = new.document, new.options
    described = {
        "sha256": document.sha256,
        "size": document.size,
        "media_type": document.media_type,
        "filename": document.filename,
    }
    with_document = (
        upsert(documents)
        .values(id=document.id, client_id=document.client_id, **described)
        .on_conflict_do_nothing()
        .cte("document")
    )
    row = connection.execute(
        upsert(jobs)
        .values(
            id=document.id,
            client_id=document.client_id,
            document_id=document.id,
            state=JobState.QUEUED,
            priority=options.priority,
            model=new.model,
            requirements=requirements_to_json(options.requirements),
            metadata=options.metadata,
            callback_url=options.callback_url,
            request_id=new.request_id,
            idempotency_key=new.idempotency_key,
            idempotency_fingerprint=new.fingerprint,
            max_attempts=settings.max_attempts,
            account_id=new.account_id,
            training_consent=options.training_consent,
            search=func.array_to_tsvector(search_words(document.filename, options.metadata)),
        )
        .on_conflict_do_nothing()
        .returning(jobs, *(literal(value).label(name) for name, value in described.items()))
        .add_cte(with_document)
    ).one_or_none()
    if row is None:
        _drop_document_without_job(connection, document.id)
        return None
    return to_job(row)


def _drop_document_without_job(connection: Connection, document_id: UUID) -> None:
    used = select(jobs.c.id).where(jobs.c.document_id == document_id).exists()
    connection.execute(delete(documents).where(documents.c.id == document_id, ~used))


def find_by_key(connection: Connection, client_id: UUID, key: str, fingerprint: str) -> Job | None:
    """The job an idempotency key made, if any; IdempotencyMismatchError when it was for something else."""
    row = connection.execute(
        select(jobs.c.id, jobs.c.idempotency_fingerprint).where(
            jobs.c.client_id == client_id, jobs.c.idempotency_key == key
        )
    ).one_or_none()
    if row is None:
        return None
    if row.idempotency_fingerprint != fingerprint:
        raise IdempotencyMismatchError
    return get(connection, client_id, row.id)


def _job_of_key(connection: Connection, new: NewJob) -> Job:
    if new.idempotency_key is None or new.fingerprint is None:
        # The same document id again: our own retry after a commit whose answer was lost.
        return get(connection, new.document.client_id, new.document.id)
    found = find_by_key(connection, new.document.client_id, new.idempotency_key, new.fingerprint)
    return found or get(connection, new.document.client_id, new.document.id)


def get(connection: Connection, client_id: UUID, job_id: UUID, *, with_result: bool = False) -> Job:
    """One job of this client; NotFoundError when it has no such job."""
    wanted = with_document().where(jobs.c.id == job_id, jobs.c.client_id == client_id)
    row = connection.execute(wanted).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no job {job_id}.")
    result = result_of(connection, row) if with_result and row.state == JobState.SUCCEEDED else None
    return to_job(row, result)


def cancel(connection: Connection, client_id: UUID, job_id: UUID, settings: JobSettings) -> list[outbox.Message]:
    """End a queued or processing job. Its worker, if any, loses the lease and writes nothing.

    ConflictError when it has its outcome already.
    """
    row = connection.execute(
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.client_id == client_id, jobs.c.state.in_(_UNFINISHED))
        .values(state=JobState.CANCELED, finished_at=func.now(), lease_token=None, lease_expires_at=None)
        .returning(jobs.c.run)
    ).one_or_none()
    if row is None:
        raise _refusal(connection, client_id, job_id, "canceled")
    outbox.settle(connection, outbox.Topic.JOB, [job_id])
    event = events.append(connection, EventKind.JOB_CANCELED, job_id=job_id, client_id=client_id, run=row.run, data={})
    outbox.write(connection, [event], resend_after_s=settings.resend_after_s)
    return [event]


def replay(connection: Connection, client_id: UUID, job_id: UUID, settings: JobSettings) -> list[outbox.Message]:
    """Queue a failed job again as a new run with all its attempts. ConflictError unless it is failed."""
    row = connection.execute(
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.client_id == client_id, jobs.c.state == JobState.FAILED)
        .values(
            state=JobState.QUEUED,
            run=jobs.c.run + 1,
            attempts=0,
            queued_at=func.now(),
            started_at=None,
            finished_at=None,
            error_code=None,
            error_detail=None,
        )
        .returning(jobs.c.run, jobs.c.priority)
    ).one_or_none()
    if row is None:
        raise _refusal(connection, client_id, job_id, "replayed")
    event = events.append(connection, EventKind.JOB_REPLAYED, job_id=job_id, client_id=client_id, run=row.run, data={})
    messages = [outbox.Message(outbox.Topic.JOB, job_id, Priority(row.priority)), event]
    outbox.write(connection, messages, resend_after_s=settings.resend_after_s)
    return messages


def erase(
    connection: Connection, actor: Actor, job_id: UUID, settings: JobSettings, **why: str
) -> tuple[Document, list[outbox.Message]]:
    """Delete the job with everything found out about it; leaves an audit line (which says ``why``) and an event.

    Returns the document, whose bytes the caller deletes from the object store.
    """
    client_id = actor.client_id
    job = get(connection, client_id, job_id)
    run = connection.execute(delete(jobs).where(jobs.c.id == job_id).returning(jobs.c.run)).scalar_one_or_none()
    if run is None:
        raise NotFoundError(f"There is no job {job_id}.")
    outbox.settle(connection, outbox.Topic.JOB, [job_id])
    connection.execute(delete(deliveries).where(deliveries.c.job_id == job_id))
    events.clear(connection, job_id)
    connection.execute(delete(documents).where(documents.c.id == job.document.id))
    audit.write(connection, actor, Action.JOB_ERASED, job_id, sha256=job.document.sha256, state=job.state, **why)
    event = events.append(connection, EventKind.JOB_ERASED, job_id=job_id, client_id=client_id, run=run, data={})
    outbox.write(connection, [event], resend_after_s=settings.resend_after_s)
    return job.document, [event]


def waiting(connection: Connection) -> int:
    """How many jobs are queued, over all clients: the backlog."""
    return connection.execute(
        select(func.count()).select_from(jobs).where(jobs.c.state == JobState.QUEUED)
    ).scalar_one()


_UNFINISHED = (JobState.QUEUED, JobState.PROCESSING)


def _refusal(connection: Connection, client_id: UUID, job_id: UUID, what: str) -> ConflictError:
    state = get(connection, client_id, job_id).state
    return ConflictError(f"The job is {state} and cannot be {what}.")


def with_document() -> Select[Any]:
    """Rows for ``to_job``."""
    return select(
        jobs,
        documents.c.sha256,
        documents.c.size,
        documents.c.media_type,
        documents.c.filename,
    ).join_from(jobs, documents)


def to_job(row: Row[Any], result: JobResult | None = None) -> Job:
    """The domain's job of a row of ``jobs`` joined with its document."""
    failure = JobFailure(row.error_code, row.error_detail) if row.error_code else None
    return Job(
        id=row.id,
        client_id=row.client_id,
        document=Document(row.document_id, row.client_id, row.sha256, row.size, row.media_type, row.filename),
        model=row.model,
        options=JobOptions(
            priority=Priority(row.priority),
            requirements=requirements_from_json(row.requirements),
            metadata=row.metadata,
            callback_url=row.callback_url,
            training_consent=row.training_consent,
        ),
        state=JobState(row.state),
        attempts=row.attempts,
        max_attempts=row.max_attempts,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        failure=failure,
        request_id=row.request_id,
        verdict=row.verdict,
        signature_count=row.signature_count,
        tone=Tone(row.tone) if row.tone else None,
        result=result,
        account_id=row.account_id,
    )
