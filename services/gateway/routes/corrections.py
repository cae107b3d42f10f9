"""``/v1/jobs/{id}/pages/{n}/correction``: a person's boxes for a page, beside the model's."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi import Path as PathParameter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from sqlalchemy import Connection

from services.gateway.auth import Reader, Reviewer, author_of
from services.gateway.correction_json import corrected_page_to_json
from services.gateway.correction_schemas import CorrectedPageOut, CorrectionIn
from services.gateway.parameters import JobId, json_body
from services.gateway.preconditions import expected_version, tag_of
from services.gateway.problems import SECURED, documented, invalid
from services.gateway.receive import read_json
from services.gateway.resources import GatewayDep
from shared import dispatch
from shared.db import correcting, corrections, jobs
from shared.domain.correction import Correction
from shared.domain.detection import Page
from shared.domain.job import Job

router = APIRouter(tags=["corrections"])

PageNumber = Annotated[int, PathParameter(ge=1, le=1_000_000, description="1-based")]
_ETAG = {"ETag": {"description": "Tag of the correction in force", "schema": {"type": "string"}}}
_BODY_BYTES = 256 * 1024
_PATH = "/v1/jobs/{job_id}/pages/{number}/correction"


@router.get(
    _PATH,
    response_model=CorrectedPageOut,
    responses={200: {"headers": _ETAG}, **documented(*SECURED, 404, 409)},
    summary="A page's correction",
)
def show(job_id: JobId, number: PageNumber, gateway: GatewayDep, key: Reader) -> JSONResponse:
    """The model's boxes, the correction in force if there is one, and who saved what when."""

    def work(connection: Connection) -> JSONResponse:
        job = jobs.get(connection, key.client_id, job_id, with_result=True)
        page = correcting.page_of(job, number)
        return _answer(job, page, corrections.history(connection, job_id, number))

    return gateway.transact(work)


@router.put(
    _PATH,
    response_model=CorrectedPageOut,
    responses={200: {"headers": _ETAG}, **documented(*SECURED, 400, 404, 409, 412, 413, 428)},
    openapi_extra=json_body("CorrectionIn"),
    summary="Correct a page",
)
async def save(
    request: Request,
    job_id: JobId,
    number: PageNumber,
    gateway: GatewayDep,
    key: Reviewer,
    if_match: Annotated[
        str | None, Header(max_length=1000, description="ETag of the correction this one was made from; required")
    ] = None,
) -> JSONResponse:
    """Save all boxes of a page as they should be. The model's own boxes and earlier corrections are kept.

    Refused with 412 when somebody else saved meanwhile: nothing is overwritten unseen.
    """
    wanted = await read_json(request, _BODY_BYTES, CorrectionIn)

    def work(connection: Connection) -> tuple[JSONResponse, Any]:
        job = correcting.lock(connection, key.client_id, job_id)
        page = correcting.page_of(job, number)
        _check(wanted, page)
        expected = expected_version(if_match, _version_in_force(job, number))
        content = wanted.to_domain()
        saved, messages = correcting.save(
            connection, job, page, content, author_of(key), expected, gateway.settings.jobs
        )
        return _answer(saved, page, corrections.history(connection, job_id, number)), messages

    answer, messages = await run_in_threadpool(gateway.transact, work)
    await run_in_threadpool(dispatch.send, gateway.publisher, messages)
    return answer


def _check(wanted: CorrectionIn, page: Page) -> None:
    fault = wanted.to_domain().fault(page)
    if fault is not None:
        raise invalid("/boxes", fault)


def _version_in_force(job: Job, number: int) -> int:
    assert job.result is not None
    before = job.result.corrections.get(number)
    return before.version if before else 0


def _answer(job: Job, page: Page, history: list[Correction]) -> JSONResponse:
    headers = {"ETag": tag_of(history[0].version if history else 0), "Cache-Control": "no-store"}
    return JSONResponse(corrected_page_to_json(job, page, history), headers=headers)
