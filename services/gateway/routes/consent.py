"""``PUT /v1/jobs/{id}/training-consent``: saying yes to training, and taking it back."""

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from sqlalchemy import Connection

from services.gateway.answer_schemas import JobOut
from services.gateway.auth import Submitter, actor_of
from services.gateway.job_json import job_to_json
from services.gateway.parameters import JobId, json_body
from services.gateway.problems import SECURED, documented
from services.gateway.receive import SMALL_JSON_BYTES, read_json
from services.gateway.request_schemas import ConsentIn
from services.gateway.resources import GatewayDep
from shared.db import jobs, training
from shared.domain.job import Job

router = APIRouter(tags=["jobs"])


@router.put(
    "/v1/jobs/{job_id}/training-consent",
    response_model=JobOut,
    responses=documented(*SECURED, 400, 404, 413),
    openapi_extra=json_body("ConsentIn"),
    summary="Allow or forbid training",
)
async def change(request: Request, job_id: JobId, gateway: GatewayDep, key: Submitter) -> JSONResponse:
    """Whether models may be trained with the document from now on. On record in the audit log."""
    wanted = await read_json(request, SMALL_JSON_BYTES, ConsentIn)

    def work(connection: Connection) -> Job:
        training.set_consent(connection, actor_of(key), job_id, allowed=wanted.training_consent)
        return jobs.get(connection, key.client_id, job_id, with_result=True)

    return JSONResponse(job_to_json(await run_in_threadpool(gateway.transact, work)))
