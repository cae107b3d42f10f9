"""``GET /v1/jobs/{id}/pages/{n}.png`` and ``.jpg``: a page to look at, with its boxes if wanted."""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import anyio
from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi import Path as PathParameter
from fastapi.concurrency import run_in_threadpool

from services.gateway.annotate import PictureFormat, encode
from services.gateway.auth import Reader
from services.gateway.drawing import boxed, document_of, plain_page
from services.gateway.page_cache import PageKey
from services.gateway.parameters import JobId
from services.gateway.problems import SECURED, documented
from services.gateway.resources import GatewayDep, Resources
from shared.db import jobs
from shared.domain.correction import Correction
from shared.domain.detection import Page
from shared.domain.errors import ConflictError, NotFoundError
from shared.domain.job import Job

router = APIRouter(tags=["pages"])

DEFAULT_WIDTH = 1240
_MOST_PIXELS = 40_000_000
_HEADERS = {"Cache-Control": "private, max-age=60"}


@dataclass(frozen=True, slots=True)
class PictureQuery:
    """What is wanted of a page."""

    job_id: JobId
    number: Annotated[int, PathParameter(ge=1, le=1_000_000, description="1-based")]
    annotated: Annotated[bool, Query(description="Draw what was found; the job must have succeeded")] = False
    corrected: Annotated[bool, Query(description="Draw a person's boxes instead, on pages that have a correction")] = (
        False
    )
    width: Annotated[int, Query(ge=64, le=4000, description="In pixels")] = DEFAULT_WIDTH


Wanted = Annotated[PictureQuery, Depends()]
IfNoneMatch = Annotated[str | None, Header()]


def _responses(media_type: str) -> dict[int | str, dict[str, Any]]:
    return {
        200: {
            "description": "The page",
            "content": {media_type: {"schema": {"type": "string", "format": "binary"}}},
            "headers": {"ETag": {"description": "Tag of this very picture", "schema": {"type": "string"}}},
        },
        304: {"description": "The picture of `If-None-Match` is still the right one"},
        **documented(*SECURED, 404, 409),
    }


@router.get(
    "/v1/jobs/{job_id}/pages/{number}.png",
    response_class=Response,
    responses=_responses("image/png"),
    summary="Picture of a page",
)
async def show_png(wanted: Wanted, gateway: GatewayDep, key: Reader, if_none_match: IfNoneMatch = None) -> Response:
    """The page as displayed, as PNG: every pixel as it is."""
    return await _show(gateway, key.client_id, wanted, PictureFormat.PNG, if_none_match)


@router.get(
    "/v1/jobs/{job_id}/pages/{number}.jpg",
    response_class=Response,
    responses=_responses("image/jpeg"),
    summary="Picture of a page, small",
)
async def show_jpeg(wanted: Wanted, gateway: GatewayDep, key: Reader, if_none_match: IfNoneMatch = None) -> Response:
    """The page as displayed, as JPEG: a third of the PNG's size, for screens."""
    return await _show(gateway, key.client_id, wanted, PictureFormat.JPEG, if_none_match)


async def _show(
    gateway: Resources, client_id: UUID, wanted: PictureQuery, form: PictureFormat, if_none_match: str | None
) -> Response:
    job = await run_in_threadpool(_job, gateway, client_id, wanted.job_id)
    page = _page(job, wanted.number, wanted.annotated)
    key = _key(job, wanted, _bounded(wanted.width, page), form)
    tag = f'"{key.version}"'
    headers = {**_HEADERS, "ETag": tag}
    if if_none_match and tag in if_none_match:
        return Response(status_code=304, headers=headers)
    drawn = await run_in_threadpool(gateway.pages.get, key)
    if drawn is None:
        # Its own few threads: whoever waits for the renderer must not keep others from the database.
        drawn = await anyio.to_thread.run_sync(_draw, gateway, job, wanted, key, form, page, limiter=gateway.drawing)
    return Response(drawn, media_type=f"image/{form}", headers=headers)


def _job(gateway: Resources, client_id: UUID, job_id: UUID) -> Job:
    return gateway.transact(lambda connection: jobs.get(connection, client_id, job_id, with_result=True))


def _page(job: Job, number: int, annotated: bool) -> Page | None:
    """The examined page, or None while the job has not succeeded."""
    if job.result is None:
        if annotated:
            raise ConflictError(f"The job is {job.state}; there is nothing to draw on its pages.")
        return None
    for page in job.result.pages:
        if page.number == number:
            return page
    raise NotFoundError(f"There is no page {number}: the document has {len(job.result.pages)}.")


def _bounded(width: int, page: Page | None) -> int:
    """No wider than keeps the picture's area in bounds, however long and narrow the page."""
    if page is None:
        return width
    return max(1, min(width, int((_MOST_PIXELS * page.width / page.height) ** 0.5)))


def _correction(job: Job, wanted: PictureQuery) -> Correction | None:
    """The correction to draw, if it is wanted and there is one."""
    return job.result.corrections.get(wanted.number) if wanted.corrected and job.result else None


def _key(job: Job, wanted: PictureQuery, width: int, form: PictureFormat) -> PageKey:
    boxes = ""
    if wanted.annotated:
        correction = _correction(job, wanted)
        boxes = f"{job.finished_at} {correction.version if correction else 0}"
    shown = f"{job.document.sha256} {wanted.number} {width} {form} {boxes}"
    return PageKey(job.id, wanted.number, width, wanted.annotated, hashlib.sha256(shown.encode()).hexdigest()[:32])


def _draw(
    gateway: Resources, job: Job, wanted: PictureQuery, key: PageKey, form: PictureFormat, page: Page | None
) -> bytes:
    with document_of(gateway, job) as document:
        image = plain_page(gateway, document, key.number, key.width)
    if wanted.annotated and page:
        image = boxed(image, job, page, corrected=wanted.corrected)
    drawn = encode(image, form)
    gateway.pages.put(key, drawn)
    try:
        gateway.transact(lambda connection: jobs.get(connection, job.client_id, job.id))
    except NotFoundError:
        # Erased while it was drawn, and forgotten before it was kept.
        gateway.pages.forget(job.id)
        raise
    return drawn
