"""Saving a correction: one transaction writes the new version, the decision it leads to, and the event."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from shared.db import corrections, events, jobs, outbox
from shared.db.tables import corrected_results, review_claims
from shared.db.tables import corrections as correction_rows
from shared.db.tables import jobs as job_rows
from shared.domain.correction import Author, Correction, CorrectionContent, reconsider
from shared.domain.correction_changes import newly_made
from shared.domain.detection import Page
from shared.domain.errors import ConflictError, NotFoundError, StaleError
from shared.domain.events import EventKind
from shared.domain.job import Job, JobResult
from shared.domain.json_forms import outcome_to_json
from shared.domain.verdict import Decision
from shared.settings import JobSettings


def save(
    connection: Connection,
    job: Job,
    page: Page,
    content: CorrectionContent,
    author: Author,
    expected: int | None,
    settings: JobSettings,
) -> tuple[Job, list[outbox.Message]]:
    """Add a version to the page of ``job`` (from ``lock``), made while ``expected`` was in force (0: none yet).

    None expects nothing. Raises StaleError when another version is in force. Returns the job with the correction.
    """
    before = _result(job).corrections.get(page.number)
    version = before.version if before else 0
    if expected is not None and expected != version:
        raise StaleError(_who_came_first(before))
    _insert(connection, job.id, page.number, version + 1, content, author)
    corrected = jobs.get(connection, job.client_id, job.id, with_result=True)
    result = _result(corrected)
    decision = reconsider(result.decision, result.pages, result.corrections, corrected.options.requirements)
    _write_decision(connection, job.id, decision)
    _release(connection, job.id, page.number)
    told = {
        "page": page.number,
        "version": version + 1,
        "verdict": decision.verdict.value,
        "count": decision.count,
        "model": f"{result.model_name}@{result.model_version}",
        "changes": newly_made(page, content, before.content if before else None),
    }
    message = _append_event(connection, job, told, settings)
    return jobs.get(connection, job.client_id, job.id, with_result=True), [message]


def lock(connection: Connection, client_id: UUID, job_id: UUID) -> Job:
    """The job with its result, against other corrections until the transaction ends: each sees all before it.

    NotFoundError when this client has no such job, ConflictError while there is no result to correct.
    """
    connection.execute(
        select(job_rows.c.id)
        .where(job_rows.c.id == job_id, job_rows.c.client_id == client_id)
        .with_for_update(key_share=True)
    )
    job = jobs.get(connection, client_id, job_id, with_result=True)
    _result(job)
    return job


def page_of(job: Job, number: int) -> Page:
    """A page of a job that has its result; ConflictError when it has none, NotFoundError when there is no such page."""
    pages = _result(job).pages
    for page in pages:
        if page.number == number:
            return page
    raise NotFoundError(f"There is no page {number}: the document has {len(pages)}.")


def _result(job: Job) -> JobResult:
    if job.result is None:
        raise ConflictError(f"The job is {job.state}; there is nothing to correct.")
    return job.result


def _who_came_first(before: Correction | None) -> str:
    if before is None:
        return "This page has no correction yet; read it again before saving."
    return (
        f"{before.author.name} saved version {before.version} of this page at "
        f"{before.saved_at.isoformat(timespec='seconds')}; read it before saving yours."
    )


def _insert(
    connection: Connection, job_id: UUID, number: int, version: int, content: CorrectionContent, author: Author
) -> None:
    connection.execute(
        insert(correction_rows).values(
            job_id=job_id,
            page_number=number,
            version=version,
            author_id=author.id,
            author_name=author.name,
            boxes=corrections.boxes_to_rows(content),
            no_signature=content.no_signature,
        )
    )


def _write_decision(connection: Connection, job_id: UUID, decision: Decision) -> None:
    values = {
        "verdict": decision.verdict,
        "signature_count": decision.count,
        "requirement_outcomes": [outcome_to_json(one) for one in decision.requirements],
        "corrected_at": func.now(),
    }
    connection.execute(
        upsert(corrected_results)
        .values(job_id=job_id, **values)
        .on_conflict_do_update(index_elements=["job_id"], set_=values)
    )


def _release(connection: Connection, job_id: UUID, number: int) -> None:
    connection.execute(
        delete(review_claims).where(review_claims.c.job_id == job_id, review_claims.c.page_number == number)
    )


def _append_event(connection: Connection, job: Job, data: dict[str, Any], settings: JobSettings) -> outbox.Message:
    run = connection.execute(select(job_rows.c.run).where(job_rows.c.id == job.id)).scalar_one()
    message = events.append(
        connection, EventKind.JOB_CORRECTED, job_id=job.id, client_id=job.client_id, run=run, data=data
    )
    outbox.write(connection, [message], resend_after_s=settings.resend_after_s)
    return message
