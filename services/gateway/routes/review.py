"""``POST /v1/review/next``: the pages that most need a person, one reviewer each."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from sqlalchemy import Connection

from services.gateway.auth import Reviewer, author_of
from services.gateway.correction_schemas import NextReviewIn, NextReviewOut, ReleaseReviewIn
from services.gateway.parameters import json_body
from services.gateway.problems import SECURED, documented
from services.gateway.receive import SMALL_JSON_BYTES, read_json
from services.gateway.resources import GatewayDep
from shared.db import jobs, review

router = APIRouter(tags=["corrections"])

# Long enough for a phone call, short enough that a closed browser does not hide a page for the day.
CLAIM_S = 120.0


@router.post(
    "/v1/review/next",
    response_model=NextReviewOut,
    responses=documented(*SECURED, 400, 413),
    openapi_extra=json_body("NextReviewIn"),
    summary="What to review",
)
async def serve(request: Request, gateway: GatewayDep, key: Reviewer) -> JSONResponse:
    """Pages of undecided documents, boxes nearest the threshold first, held for the caller for two minutes.

    Asking again gives the same pages until they are corrected, skipped, or the time is over.
    """
    wanted = await read_json(request, SMALL_JSON_BYTES, NextReviewIn)
    skip = {(one.job_id, one.page) for one in wanted.skip}

    def work(connection: Connection) -> JSONResponse:
        pages = review.take(
            connection, key.client_id, author_of(key).id, count=wanted.count, skip=skip, claim_s=CLAIM_S
        )
        served = [_page_to_json(connection, key.client_id, one) for one in pages]
        return JSONResponse({"pages": served, "waiting": review.waiting(connection, key.client_id)})

    return await run_in_threadpool(gateway.transact, work)


@router.post(
    "/v1/review/release",
    status_code=204,
    response_class=Response,
    responses=documented(*SECURED, 400, 413),
    openapi_extra=json_body("ReleaseReviewIn"),
    summary="Let go of pages",
)
async def release(request: Request, gateway: GatewayDep, key: Reviewer) -> Response:
    """Others may be served these pages at once. Pages the caller does not hold are passed over."""
    wanted = await read_json(request, SMALL_JSON_BYTES, ReleaseReviewIn)
    pages = {(one.job_id, one.page) for one in wanted.pages}
    await run_in_threadpool(gateway.transact, lambda c: review.release(c, author_of(key).id, pages))
    return Response(status_code=204)


def _page_to_json(connection: Connection, client_id: UUID, page: review.ReviewPage) -> dict[str, Any]:
    job = jobs.get(connection, client_id, page.job_id)
    return {
        "job_id": str(page.job_id),
        "page": page.page_number,
        "filename": job.document.filename,
        "confidence": round(page.confidence, 4),
        "unsure": list(page.unsure),
        "claimed_until": page.claimed_until.isoformat(),
    }
