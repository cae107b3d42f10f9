"""``POST /predict``: the contract of the old prototype, kept for programs that speak it."""

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from services.gateway.accept import Caller, accept
from services.gateway.answer_schemas import PredictOut
from services.gateway.auth import Submitter
from services.gateway.job_json import job_path
from services.gateway.parameters import json_body
from services.gateway.problems import SECURED, Problem, ProblemCode, documented
from services.gateway.receive import Submission, decode_base64, read_json, receive_bytes
from services.gateway.request_ids import request_id_of
from services.gateway.request_schemas import PredictIn
from services.gateway.resources import GatewayDep, Resources
from shared.db import jobs
from shared.domain.detection import Kind
from shared.domain.errors import ErrorCode
from shared.domain.job import Job, JobOptions, JobResult, Priority

router = APIRouter(tags=["predict"])


@router.post(
    "/predict",
    response_model=PredictOut,
    summary="Boxes of one image, at once",
    openapi_extra=json_body("PredictIn"),
    responses=documented(*SECURED, 400, 413, 415, 504),
)
async def predict(request: Request, gateway: GatewayDep, key: Submitter) -> JSONResponse:
    """Signatures on one image (of a file with several pages: on the first), in pixels of the image as displayed."""
    caller = Caller(key.client_id, request_id_of(request.scope))
    body = await read_json(request, gateway.settings.limits.json_bytes, PredictIn)
    job_id = await run_in_threadpool(_submit, gateway, caller, body)

    def read() -> Job:
        return gateway.transact(lambda connection: jobs.get(connection, key.client_id, job_id, with_result=True))

    job = await gateway.watch.until_finished(job_id, read, gateway.settings.gateway.predict_wait_s)
    boxes = _boxes(_result_or_problem(job))
    return JSONResponse({"prediction": boxes, "count": len(boxes)})


def _submit(gateway: Resources, caller: Caller, body: PredictIn) -> UUID:
    document = receive_bytes(decode_base64(body.image, "/image"), gateway)
    try:
        if document.media_type == "application/pdf":
            raise Problem(ErrorCode.UNSUPPORTED_TYPE, "This address takes one image; send PDFs to /v1/jobs.")
        submission = Submission(None, JobOptions(priority=Priority.INTERACTIVE), document)
        return accept(gateway, caller, submission).job.id
    finally:
        document.close()


def _result_or_problem(job: Job) -> JobResult:
    if job.result:
        return job.result
    headers = {"Location": job_path(job)}
    if job.failure:
        raise Problem(job.failure.code, job.failure.detail, status=422, headers=headers)
    if job.state.is_final:
        raise Problem(ProblemCode.CONFLICT, f"The job was {job.state}.", status=422, headers=headers)
    raise Problem(ProblemCode.STILL_PROCESSING, "Not finished yet; the job goes on at Location.", headers=headers)


def _boxes(result: JobResult) -> list[list[int]]:
    """The sure signatures of the first page. ``decision.count`` says how many of all are sure: the surest ones."""
    found = [
        (one.confidence, page.number, one.box)
        for page in result.pages
        for one in page.detections
        if one.kind is Kind.SIGNATURE
    ]
    sure = sorted(found, key=lambda entry: -entry[0])[: result.decision.count]
    return [[round(box.x), round(box.y), round(box.width), round(box.height)] for _, number, box in sure if number == 1]
