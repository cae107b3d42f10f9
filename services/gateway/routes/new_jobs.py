"""``POST /v1/jobs``: a document becomes a job."""

from typing import Any

import structlog
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from services.gateway.accept import Accepted, Caller, accept
from services.gateway.answer_schemas import JobOut
from services.gateway.auth import Submitter
from services.gateway.job_json import job_path, job_to_json
from services.gateway.parameters import IdempotencyKey, Prefer, preferred_wait_s
from services.gateway.problems import SECURED, documented
from services.gateway.receive import receive
from services.gateway.request_ids import request_id_of
from services.gateway.request_schemas import OptionsIn
from services.gateway.resources import GatewayDep, Resources
from shared.db import jobs
from shared.domain.errors import TemporaryError
from shared.domain.job import Job
from shared.pages.sniff import MEDIA_TYPES

router = APIRouter(tags=["jobs"])

_BINARY_TYPES = (*MEDIA_TYPES, "application/octet-stream")
_BODY = {
    "required": True,
    "description": "The document as a form, as it is, or in JSON. As it is, options go into the query.",
    "content": {
        "multipart/form-data": {"schema": {"$ref": "#/components/schemas/NewJobForm"}},
        "application/json": {"schema": {"$ref": "#/components/schemas/NewJobIn"}},
        **{key: {"schema": {"type": "string", "format": "binary"}} for key in _BINARY_TYPES},
    },
}


def _query_parameters() -> list[dict[str, Any]]:
    """The options as query parameters, for documents sent as they are."""
    texts = {"type": "string"}
    fields = OptionsIn.model_json_schema()["properties"]
    schemas = {name: texts if name in ("requirements", "metadata") else fields[name] for name in fields}
    schemas["priority"] = {"type": "string", "enum": ["interactive", "normal", "bulk"]}
    schemas["callback_url"] = {"type": "string", "format": "uri", "maxLength": 2000}
    schemas["filename"] = {"type": "string", "minLength": 1, "maxLength": 255}
    about = "Only with a document sent as it is"
    return [{"name": name, "in": "query", "description": about, "schema": one} for name, one in schemas.items()]


_HEADERS = {
    "Location": {"description": "Address of the job", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds after which to look again", "schema": {"type": "integer"}},
    "Idempotency-Replayed": {
        "description": "`true` when the key had been used before",
        "schema": {"type": "string", "enum": ["true"]},
    },
}


@router.post(
    "/v1/jobs",
    status_code=202,
    response_model=JobOut,
    summary="Submit a document",
    openapi_extra={"requestBody": _BODY, "parameters": _query_parameters()},
    responses={
        200: {"model": JobOut, "description": "Finished within the time waited, or known and finished already"},
        202: {"description": "Accepted; nothing can lose it from here on", "headers": _HEADERS},
        **documented(*SECURED, 400, 404, 409, 413, 415),
    },
)
async def submit(
    request: Request,
    gateway: GatewayDep,
    key: Submitter,
    prefer: Prefer = None,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Send one document: as multipart part `file`, as the raw body, or as JSON (base64 or an upload's id)."""
    caller = Caller(key.client_id, request_id_of(request.scope), idempotency_key, key.account_id)
    submission = await receive(request, gateway)
    try:
        accepted = await run_in_threadpool(accept, gateway, caller, submission)
    finally:
        submission.close()
    structlog.contextvars.bind_contextvars(job_id=str(accepted.job.id))
    wait_s = preferred_wait_s(prefer, gateway.settings.gateway.wait_max_s)
    job = await _outcome(gateway, accepted, wait_s)
    return _answer(job, accepted, wait_s)


async def _outcome(gateway: Resources, accepted: Accepted, wait_s: float) -> Job:
    """The job as it stands after waiting. It is accepted: a database lost meanwhile does not make that an error."""
    job = accepted.job
    if not wait_s and not job.state.is_final:
        return job

    def read() -> Job:
        return gateway.transact(lambda connection: jobs.get(connection, job.client_id, job.id, with_result=True))

    try:
        return await gateway.watch.until_finished(job.id, read, wait_s)
    except TemporaryError:
        return job


def _answer(job: Job, accepted: Accepted, wait_s: float) -> JSONResponse:
    headers = {"Location": job_path(job)}
    if wait_s:
        headers["Preference-Applied"] = f"wait={wait_s:.0f}"
    if accepted.is_replay:
        headers["Idempotency-Replayed"] = "true"
    if not job.state.is_final:
        headers["Retry-After"] = "1"
    return JSONResponse(job_to_json(job), 200 if job.state.is_final else 202, headers)
