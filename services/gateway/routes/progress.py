"""``GET /v1/progress``: many jobs followed over one connection, for browsers allow only a few."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from services.gateway.auth import Reader
from services.gateway.job_json import listed_job_to_json
from services.gateway.problems import SECURED, documented
from services.gateway.resources import GatewayDep, Resources
from shared.db import job_lists
from shared.domain.errors import TemporaryError
from shared.domain.job import Job

router = APIRouter(tags=["jobs"])

MOST_JOBS = 100
# Jobs that finish in a burst are told of together.
_LEAST_PAUSE_S = 0.2
_STREAMED = {
    "type": "object",
    "properties": {
        "event": {"type": "string", "enum": ["job", "gone", "end"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
        "retry": {"type": "integer"},
    },
}
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@router.get(
    "/v1/progress",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "`job` events, each with a job as lists show it; `gone` for one this client has not; "
            "`end` when all have their outcome",
            "content": {"text/event-stream": {"schema": _STREAMED}},
        },
        **documented(*SECURED),
    },
    summary="Follow several jobs",
)
async def follow(
    gateway: GatewayDep, key: Reader, job: Annotated[list[UUID], Query(min_length=1, max_length=MOST_JOBS)]
) -> StreamingResponse:
    """Each job as it is now, and again whenever its status changes."""
    stream = _stream(gateway, key.client_id, list(dict.fromkeys(job)))
    return StreamingResponse(stream, media_type="text/event-stream", headers=_HEADERS)


async def _stream(gateway: Resources, client_id: UUID, job_ids: list[UUID]) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    keep_alive_s = gateway.settings.gateway.event_keep_alive_s
    told: dict[UUID, str] = {}
    spoken_at = loop.time()
    yield "retry: 1000\n\n"
    with gateway.watch.watching(*job_ids) as changed:
        while True:
            found = await run_in_threadpool(_look, gateway, client_id, job_ids)
            for line in _news(found, job_ids, told) if found is not None else ():
                spoken_at = loop.time()
                yield line
            if all(told.get(one) in _ENDED for one in job_ids):
                yield _event("end", {})
                return
            if gateway.watch.is_stopping:
                return
            if loop.time() - spoken_at >= keep_alive_s:
                spoken_at = loop.time()
                yield ": still here\n\n"
            await asyncio.sleep(_LEAST_PAUSE_S)
            await gateway.watch.pause(changed, max(spoken_at + keep_alive_s - loop.time(), 0))


_ENDED = ("succeeded", "failed", "canceled", "gone")


def _look(gateway: Resources, client_id: UUID, job_ids: list[UUID]) -> dict[UUID, Job] | None:
    """The jobs by id; None while the database is away: no news."""
    try:
        found = gateway.transact(lambda connection: job_lists.some(connection, client_id, job_ids))
    except TemporaryError:
        return None
    return {one.id: one for one in found}


def _news(found: dict[UUID, Job], job_ids: list[UUID], told: dict[UUID, str]) -> list[str]:
    """What has changed since it was told, which is noted."""
    lines = []
    for job_id in job_ids:
        job = found.get(job_id)
        status = job.state.value if job else "gone"
        if told.get(job_id) != status:
            told[job_id] = status
            lines.append(_event("job", listed_job_to_json(job)) if job else _event("gone", {"id": str(job_id)}))
    return lines


def _event(kind: str, data: dict[str, Any]) -> str:
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n"
