"""The JSON bodies of jobs and events."""

from datetime import datetime
from typing import Any

from services.gateway.correction_json import correction_to_json, decision_to_json
from shared.domain.detection import Page, richest_tone
from shared.domain.events import Event
from shared.domain.job import Job, JobResult
from shared.domain.json_forms import outcome_to_json, page_to_json, requirements_to_json


def job_to_json(job: Job) -> dict[str, Any]:
    """A job with everything known about it."""
    return {**_fields(job), "result": _result(job.result) if job.result else None}


def listed_job_to_json(job: Job) -> dict[str, Any]:
    """A job as lists show it: of the result only verdict, count and tone."""
    brief = {"verdict": job.verdict, "count": job.signature_count, "tone": job.tone} if job.verdict else None
    return {**_fields(job), "result": brief}


def event_to_json(event: Event) -> dict[str, Any]:
    """``{"id", "sequence", "kind", "job_id", "occurred_at", "data"}``."""
    return {
        "id": str(event.id),
        "sequence": event.sequence,
        "kind": event.kind.value,
        "job_id": str(event.job_id),
        "occurred_at": event.occurred_at.isoformat(),
        "data": event.data,
    }


def job_path(job: Job) -> str:
    """The address of a job."""
    return f"/v1/jobs/{job.id}"


def _fields(job: Job) -> dict[str, Any]:
    document, options = job.document, job.options
    return {
        "id": str(job.id),
        "status": job.state.value,
        "attempts": job.attempts,
        "model": job.model,
        "priority": options.priority.value,
        "created_at": job.created_at.isoformat(),
        "started_at": _moment(job.started_at),
        "finished_at": _moment(job.finished_at),
        "document": {
            "sha256": document.sha256,
            "size": document.size,
            "media_type": document.media_type,
            "filename": document.filename,
        },
        "metadata": options.metadata,
        "requirements": requirements_to_json(options.requirements),
        "callback_url": options.callback_url,
        "training_consent": options.training_consent,
        "error": {"code": job.failure.code, "detail": job.failure.detail} if job.failure else None,
        "links": _links(job),
    }


def _links(job: Job) -> dict[str, str]:
    path = job_path(job)
    return {"self": path, "events": f"{path}/events", "pages": f"{path}/pages/{{number}}.png"}


def _moment(value: datetime | None) -> str | None:
    return value.isoformat() if value else None


def _result(result: JobResult) -> dict[str, Any]:
    timings = result.timings
    return {
        "verdict": result.decision.verdict.value,
        "count": result.decision.count,
        "tone": richest_tone(result.pages),
        "requirements": [outcome_to_json(one) for one in result.decision.requirements],
        "model": {"name": result.model_name, "version": result.model_version},
        "timings": {
            "queued": round(timings.queued, 2),
            "fetched": round(timings.fetched, 2),
            "rendered": round(timings.rendered, 2),
            "inferred": round(timings.inferred, 2),
            "recorded": round(timings.recorded, 2),
        },
        "pages": [_page(result, page) for page in result.pages],
        "corrected": decision_to_json(result.corrected) if result.corrected else None,
    }


def _page(result: JobResult, page: Page) -> dict[str, Any]:
    """What the model found, and beside it what a person says."""
    correction = result.corrections.get(page.number)
    return {**page_to_json(page), "correction": correction_to_json(correction, page) if correction else None}
