"""``GET /v1/jobs/{id}/pages/{n}.png``: a page to look at, with its boxes if wanted."""

import hashlib
import tempfile
from pathlib import Path
from typing import Annotated
from uuid import UUID

import anyio
from fastapi import APIRouter, Header, Query, Response
from fastapi import Path as PathParameter
from fastapi.concurrency import run_in_threadpool

from services.gateway.annotate import draw_boxes, picture, to_png
from services.gateway.auth import Reader
from services.gateway.page_cache import PageKey
from services.gateway.parameters import JobId
from services.gateway.problems import SECURED, documented
from services.gateway.resources import GatewayDep, Resources
from shared.db import jobs
from shared.domain.detection import Page
from shared.domain.errors import ConflictError, ErrorCode, NotFoundError, TemporaryError
from shared.domain.job import Job
from shared.objects import ObjectMissingError
from shared.pages.limits import RenderLimits
from shared.settings import LimitSettings

router = APIRouter(tags=["pages"])

DEFAULT_WIDTH = 1240
_MOST_PIXELS = 40_000_000
_HEADERS = {"Cache-Control": "private, max-age=60"}


@router.get(
    "/v1/jobs/{job_id}/pages/{number}.png",
    response_class=Response,
    responses={
        200: {
            "description": "The page",
            "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
            "headers": {"ETag": {"description": "Tag of this very picture", "schema": {"type": "string"}}},
        },
        304: {"description": "The picture of `If-None-Match` is still the right one"},
        **documented(*SECURED, 404, 409),
    },
    summary="Picture of a page",
)
async def show(
    job_id: JobId,
    number: Annotated[int, PathParameter(ge=1, le=1_000_000, description="1-based")],
    gateway: GatewayDep,
    key: Reader,
    annotated: Annotated[bool, Query(description="Draw what was found; the job must have succeeded")] = False,
    width: Annotated[int, Query(ge=64, le=4000, description="In pixels")] = DEFAULT_WIDTH,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """The page as displayed, as PNG."""
    job = await run_in_threadpool(_job, gateway, key.client_id, job_id)
    page = _page(job, number, annotated)
    wanted = _key(job, number, _bounded(width, page), annotated)
    tag = f'"{wanted.version}"'
    headers = {**_HEADERS, "ETag": tag}
    if if_none_match and tag in if_none_match:
        return Response(status_code=304, headers=headers)
    png = await run_in_threadpool(gateway.pages.get, wanted)
    if png is None:
        # Its own few threads: whoever waits for the renderer must not keep others from the database.
        png = await anyio.to_thread.run_sync(_draw, gateway, job, wanted, page, limiter=gateway.drawing)
    return Response(png, media_type="image/png", headers=headers)


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


def _key(job: Job, number: int, width: int, annotated: bool) -> PageKey:
    shown = f"{job.document.sha256} {number} {width} {annotated} {job.finished_at if annotated else ''}"
    return PageKey(job.id, number, width, annotated, hashlib.sha256(shown.encode()).hexdigest()[:32])


def _draw(gateway: Resources, job: Job, wanted: PageKey, page: Page | None) -> bytes:
    with tempfile.TemporaryDirectory(prefix="paraphe-page-") as folder:
        path = Path(folder) / "document"
        try:
            gateway.objects.fetch(job.document.object_name, path)
        except ObjectMissingError as error:
            raise TemporaryError(ErrorCode.STORE_UNAVAILABLE, "The document is not in the object store.") from error
        limits = _render_limits(gateway.settings.limits)
        drawn = gateway.renderer.picture(path, wanted.number, wanted.width, limits)
    image = picture(drawn)
    if wanted.annotated and page:
        image = draw_boxes(image, page.detections, page.width)
    png = to_png(image)
    gateway.pages.put(wanted, png)
    return png


def _render_limits(limits: LimitSettings) -> RenderLimits:
    return RenderLimits(
        max_pages=limits.pages,
        max_page_pixels=limits.page_pixels,
        seconds=limits.document_seconds,
        seconds_per_page=limits.page_seconds,
        memory_bytes=limits.render_memory_bytes,
        pdf_dpi=limits.pdf_dpi,
    )
