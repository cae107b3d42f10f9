"""Leases: who may write a job's outcome, and for how long.

Each function is one step of the state machine, guarded by the lease token. A worker whose token is no longer on the
row has lost the job (its lease ran out, or the job was canceled or erased) and must write nothing.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row, func, literal, select, tuple_, update

from shared.db import events, outbox
from shared.db.jobs import to_job
from shared.db.results import write_pages
from shared.db.tables import documents, jobs
from shared.db.tables import events as event_rows
from shared.domain.detection import richest_tone
from shared.domain.errors import ErrorCode, LeaseLostError
from shared.domain.events import EventKind
from shared.domain.job import Claim, JobFailure, JobResult, JobState, Priority
from shared.domain.json_forms import outcome_to_json
from shared.settings import JobSettings

_NO_LEASE: dict[str, Any] = {"lease_token": None, "lease_expires_at": None}


def claim(connection: Connection, job_id: UUID, settings: JobSettings) -> tuple[Claim, list[outbox.Message]] | None:
    """Take a queued job, counting the attempt; None when there is nothing to claim (a repeat delivery: drop it)."""
    token = uuid4()
    row = connection.execute(
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.state == JobState.QUEUED, documents.c.id == jobs.c.document_id)
        .values(
            state=JobState.PROCESSING,
            attempts=jobs.c.attempts + 1,
            lease_token=token,
            lease_expires_at=_lease_end(settings),
            started_at=func.now(),
        )
        .returning(jobs, documents.c.sha256, documents.c.size, documents.c.media_type, documents.c.filename)
    ).one_or_none()
    if row is None:
        # Nor is there anything to settle: a job's message is deleted by the transaction that takes the job out of
        # ``queued``. One that is there now belongs to whoever has queued the job again since the look above.
        return None
    outbox.settle(connection, outbox.Topic.JOB, [job_id])
    event = _append(connection, EventKind.JOB_STARTED, row, {"attempt": row.attempts}, settings)
    return Claim(to_job(row), token), [event]


def _lease_end(settings: JobSettings) -> Any:
    return func.now() + timedelta(seconds=settings.lease_s)


def renew(connection: Connection, held: Sequence[tuple[UUID, UUID]], settings: JobSettings) -> set[UUID]:
    """Prolong leases given as (job id, token); returns the ids still held. The others are lost."""
    if not held:
        return set()
    renewed = connection.execute(
        update(jobs)
        .where(tuple_(jobs.c.id, jobs.c.lease_token).in_(held))
        .values(lease_expires_at=_lease_end(settings))
        .returning(jobs.c.id)
    )
    return set(renewed.scalars())


def succeed(connection: Connection, claimed: Claim, result: JobResult, settings: JobSettings) -> list[outbox.Message]:
    """Write pages, detections, verdict, state and event in one go. LeaseLostError when the lease is gone.

    The result's ``recorded`` time is replaced by what the writing took, short of the commit.
    """
    started = time.perf_counter()
    decision = result.decision
    row = _finish(
        connection,
        claimed,
        state=JobState.SUCCEEDED,
        verdict=decision.verdict,
        signature_count=decision.count,
        requirement_outcomes=[outcome_to_json(one) for one in decision.requirements],
        model_version=result.model_version,
        tone=richest_tone(result.pages),
    )
    write_pages(connection, claimed.job.id, result.pages)
    data = {
        "verdict": decision.verdict.value,
        "count": decision.count,
        "pages": len(result.pages),
        "model": f"{result.model_name}@{result.model_version}",
        "seconds": _seconds_of_run(connection, row),
    }
    message = _append(connection, EventKind.JOB_SUCCEEDED, row, data, settings)
    timings = replace(result.timings, recorded=(time.perf_counter() - started) * 1000)
    connection.execute(update(jobs).where(jobs.c.id == row.id).values(timings=asdict(timings)))
    return [message]


def fail(connection: Connection, claimed: Claim, failure: JobFailure, settings: JobSettings) -> list[outbox.Message]:
    """The document is bad, or the attempts are used up: the job ends here. LeaseLostError when the lease is gone."""
    row = _finish(connection, claimed, state=JobState.FAILED, error_code=failure.code, error_detail=failure.detail)
    return [_append_failure(connection, row, failure, settings)]


def retry(connection: Connection, claimed: Claim, failure: JobFailure, settings: JobSettings) -> list[outbox.Message]:
    """Queue the job again after a backoff, or fail it when its attempts are used up. LeaseLostError as elsewhere."""
    job = claimed.job
    if job.attempts >= job.max_attempts:
        return fail(connection, claimed, failure, settings)
    wait_s = settings.retry_backoff_s * 2 ** (job.attempts - 1)
    row = _finish(connection, claimed, state=JobState.QUEUED, queued_at=func.now(), finished_at=None)
    _schedule(connection, row, wait_s)
    return [_append(connection, EventKind.JOB_REQUEUED, row, {"reason": failure.code}, settings)]


def release(connection: Connection, claimed: Claim, settings: JobSettings) -> list[outbox.Message]:
    """Give an unfinished job back at once, without counting the attempt: its worker is stopping."""
    row = _finish(
        connection,
        claimed,
        state=JobState.QUEUED,
        queued_at=func.now(),
        finished_at=None,
        attempts=jobs.c.attempts - 1,
    )
    _schedule(connection, row, 0.0)
    return [_append(connection, EventKind.JOB_REQUEUED, row, {"reason": "worker_stopping"}, settings)]


def expire(connection: Connection, settings: JobSettings, limit: int = 200) -> list[outbox.Message]:
    """Queue again (or, attempts used up, fail) every job whose worker has gone silent."""
    silent = (
        select(jobs.c.id)
        .where(jobs.c.state == JobState.PROCESSING, jobs.c.lease_expires_at < func.now())
        .order_by(jobs.c.lease_expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = connection.execute(silent).scalars().all()
    return [message for job_id in ids for message in _expire_one(connection, job_id, settings)]


def _expire_one(connection: Connection, job_id: UUID, settings: JobSettings) -> list[outbox.Message]:
    used_up = jobs.c.attempts >= jobs.c.max_attempts
    again = connection.execute(
        update(jobs)
        .where(jobs.c.id == job_id, ~used_up)
        .values(state=JobState.QUEUED, queued_at=func.now(), **_NO_LEASE)
        .returning(jobs)
    ).one_or_none()
    if again is not None:
        _schedule(connection, again, 0.0)
        return [_append(connection, EventKind.JOB_REQUEUED, again, {"reason": ErrorCode.WORKER_LOST}, settings)]
    failure = JobFailure(
        ErrorCode.ATTEMPTS_EXHAUSTED,
        "The worker examining this document was lost on every attempt. "
        "Look at the document and the workers' logs, then replay the job.",
    )
    row = connection.execute(
        update(jobs)
        .where(jobs.c.id == job_id)
        .values(
            state=JobState.FAILED,
            finished_at=func.now(),
            error_code=failure.code,
            error_detail=failure.detail,
            **_NO_LEASE,
        )
        .returning(jobs)
    ).one()
    return [_append_failure(connection, row, failure, settings)]


def _finish(connection: Connection, claimed: Claim, **values: Any) -> Row[Any]:
    changes = {"finished_at": func.now(), **values, **_NO_LEASE}
    row = connection.execute(
        update(jobs)
        .where(jobs.c.id == claimed.job.id, jobs.c.lease_token == literal(claimed.token))
        .values(**changes)
        .returning(jobs)
    ).one_or_none()
    if row is None:
        raise LeaseLostError(f"The lease on job {claimed.job.id} is gone.")
    return row


def _seconds_of_run(connection: Connection, row: Row[Any]) -> float:
    """From acceptance to outcome; of a replay from its order: it would else count the days until somebody asked."""
    began = row.created_at
    if row.run > 1:
        replayed = select(event_rows.c.occurred_at).where(
            event_rows.c.job_id == row.id,
            event_rows.c.run == row.run,
            event_rows.c.kind == EventKind.JOB_REPLAYED,
        )
        began = connection.execute(replayed).scalar_one()
    return float((row.finished_at - began).total_seconds())


def _append_failure(
    connection: Connection, row: Row[Any], failure: JobFailure, settings: JobSettings
) -> outbox.Message:
    data = {
        "code": failure.code,
        "detail": failure.detail,
        "seconds": _seconds_of_run(connection, row),
    }
    return _append(connection, EventKind.JOB_FAILED, row, data, settings)


def _append(
    connection: Connection, kind: EventKind, row: Row[Any], data: dict[str, Any], settings: JobSettings
) -> outbox.Message:
    message = events.append(connection, kind, job_id=row.id, client_id=row.client_id, run=row.run, data=data)
    outbox.write(connection, [message], resend_after_s=settings.resend_after_s)
    return message


def _schedule(connection: Connection, row: Row[Any], wait_s: float) -> None:
    message = outbox.Message(outbox.Topic.JOB, row.id, Priority(row.priority))
    outbox.schedule(connection, message, wait_s=wait_s)
