"""Jobs as their client sees and steers them."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from sqlalchemy import Connection

from services.gateway.answer_schemas import JobOut, JobsOut
from services.gateway.auth import Reader, Submitter, actor_of
from services.gateway.job_json import job_path, job_to_json, listed_job_to_json
from services.gateway.parameters import JobId, decode_cursor, encode_cursor, metadata_filter
from services.gateway.problems import SECURED, documented, invalid
from services.gateway.resources import GatewayDep
from shared import dispatch
from shared.db import audit, job_lists, jobs
from shared.db.audit import Action
from shared.db.job_lists import JobFilter
from shared.domain.detection import Tone
from shared.domain.job import Job, JobState
from shared.domain.verdict import Verdict

router = APIRouter(tags=["jobs"])

_MOMENT = "ISO 8601; without an offset it is taken as UTC"


@router.get("/v1/jobs/{job_id}", response_model=JobOut, responses=documented(*SECURED, 404), summary="One job")
async def show(
    job_id: JobId,
    gateway: GatewayDep,
    key: Reader,
    wait: Annotated[float, Query(ge=0, le=60, description="Seconds to wait for the outcome")] = 0,
) -> JSONResponse:
    """A job with its result; with `wait` answered as soon as the job has its outcome."""

    def read() -> Job:
        return gateway.transact(lambda connection: jobs.get(connection, key.client_id, job_id, with_result=True))

    if wait:
        job = await gateway.watch.until_finished(job_id, read, min(wait, gateway.settings.gateway.wait_max_s))
    else:
        job = await run_in_threadpool(read)
    return JSONResponse(job_to_json(job))


@router.get("/v1/jobs", response_model=JobsOut, responses=documented(*SECURED), summary="List jobs")
def listing(
    gateway: GatewayDep,
    key: Reader,
    status: Annotated[list[JobState], Query(max_length=10)] = [],  # noqa: B006 - FastAPI copies defaults
    verdict: Annotated[list[Verdict], Query(max_length=10)] = [],  # noqa: B006
    tone: Annotated[list[Tone], Query(max_length=10)] = [],  # noqa: B006
    created_from: Annotated[datetime | None, Query(description=_MOMENT)] = None,
    created_until: Annotated[datetime | None, Query(description=_MOMENT + "; exclusive")] = None,
    metadata: Annotated[list[str], Query(max_length=10, description="`key` or `key:value`; all must fit")] = [],  # noqa: B006
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=100, description="`next_cursor` of the answer before")] = None,
) -> JSONResponse:
    """Newest first."""
    which = JobFilter(
        states=status,
        verdicts=verdict,
        tones=tone,
        created_from=_in_utc(created_from, "/query/created_from"),
        created_until=_in_utc(created_until, "/query/created_until"),
        metadata=[metadata_filter(text) for text in metadata],
    )
    before = decode_cursor(cursor) if cursor else None
    found = gateway.transact(
        lambda connection: job_lists.newest(connection, key.client_id, which, before=before, limit=limit + 1)
    )
    shown = found[:limit]
    following = encode_cursor(shown[-1].id) if len(found) > limit else None
    return JSONResponse({"jobs": [listed_job_to_json(job) for job in shown], "next_cursor": following})


def _in_utc(moment: datetime | None, pointer: str) -> datetime | None:
    """The database knows fewer offsets than ISO 8601 does, so it is given none but UTC."""
    if moment is None or moment.tzinfo is None:
        return moment and moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise invalid(pointer, "This moment is beyond the calendar.") from error


@router.post(
    "/v1/jobs/{job_id}/cancel", response_model=JobOut, responses=documented(*SECURED, 404, 409), summary="Cancel"
)
def cancel(job_id: JobId, gateway: GatewayDep, key: Submitter) -> JSONResponse:
    """End a job that is queued or being examined."""

    def work(connection: Connection) -> tuple[Job, Any]:
        messages = jobs.cancel(connection, key.client_id, job_id, gateway.settings.jobs)
        return jobs.get(connection, key.client_id, job_id), messages

    job, messages = gateway.transact(work)
    dispatch.send(gateway.publisher, messages)
    return JSONResponse(job_to_json(job))


@router.post(
    "/v1/jobs/{job_id}/replay",
    status_code=202,
    response_model=JobOut,
    responses=documented(*SECURED, 404, 409),
    summary="Try a failed job again",
)
def replay(job_id: JobId, gateway: GatewayDep, key: Submitter) -> JSONResponse:
    """Queue a failed job again, with all its attempts."""

    def work(connection: Connection) -> tuple[Job, Any]:
        messages = jobs.replay(connection, key.client_id, job_id, gateway.settings.jobs)
        audit.write(connection, actor_of(key), Action.JOB_REPLAYED, job_id)
        return jobs.get(connection, key.client_id, job_id), messages

    job, messages = gateway.transact(work)
    dispatch.send(gateway.publisher, messages)
    return JSONResponse(job_to_json(job), 202, {"Location": job_path(job), "Retry-After": "1"})


@router.delete(
    "/v1/jobs/{job_id}", status_code=204, response_class=Response, responses=documented(*SECURED, 404), summary="Erase"
)
def erase(job_id: JobId, gateway: GatewayDep, key: Submitter) -> Response:
    """Delete the document, its pages and results for good; a line that it was done stays."""

    def work(connection: Connection) -> Any:
        document, messages = jobs.erase(connection, actor_of(key), job_id, gateway.settings.jobs)
        # Inside the transaction: if the store is away nothing is erased, and the caller may try again.
        gateway.objects.delete(document.object_name)
        return messages

    messages = gateway.transact(work)
    gateway.pages.forget(job_id)
    dispatch.send(gateway.publisher, messages)
    return Response(status_code=204)
