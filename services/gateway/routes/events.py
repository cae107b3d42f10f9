"""A job's events, at once or as they happen, and what became of telling others about them."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, StreamingResponse
from sqlalchemy import Connection

from services.gateway.answer_schemas import DeliveriesOut
from services.gateway.auth import Reader
from services.gateway.job_json import event_to_json
from services.gateway.parameters import JobId
from services.gateway.problems import SECURED, documented
from services.gateway.resources import GatewayDep, Resources
from shared.db import deliveries, events, jobs
from shared.domain.delivery import Delivery
from shared.domain.errors import NotFoundError, TemporaryError
from shared.domain.events import Event

router = APIRouter(tags=["events"])

_MOST_DIGITS = 18
_STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_STREAMED = {
    "type": "object",
    "description": "One event of the stream; `data` is an event as JSON text",
    "properties": {name: {"type": "string"} for name in ("id", "event", "data")},
    "required": ["id", "event", "data"],
}


@router.get(
    "/v1/jobs/{job_id}/events",
    response_class=Response,
    responses={
        200: {
            "description": "Server-sent events until the outcome; JSON when that is what `Accept` asks for",
            "content": {
                "text/event-stream": {"schema": _STREAMED},
                "application/json": {"schema": {"$ref": "#/components/schemas/EventsOut"}},
            },
        },
        204: {"description": "Nothing happened after `Last-Event-ID`, and nothing will: do not connect again"},
        **documented(*SECURED, 404),
    },
    summary="Events of a job",
)
async def follow(
    job_id: JobId,
    gateway: GatewayDep,
    key: Reader,
    accept: Annotated[str, Header()] = "text/event-stream",
    last_event_id: Annotated[str | None, Header(description="`id` of the last event received")] = None,
) -> Response:
    """Every step of the job, oldest first. Resumes after `Last-Event-ID`."""
    after = _sequence(last_event_id)
    past, is_over = await run_in_threadpool(gateway.transact, lambda c: _past(c, key.client_id, job_id, after))
    if "application/json" in accept and "text/event-stream" not in accept:
        return JSONResponse({"events": [event_to_json(event) for event in past]})
    if is_over and not past and last_event_id:
        return Response(status_code=204)
    return StreamingResponse(
        _stream(gateway, key.client_id, job_id, after), media_type="text/event-stream", headers=_STREAM_HEADERS
    )


def _sequence(last_event_id: str | None) -> int:
    text = (last_event_id or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else 0


def _past(connection: Connection, client_id: UUID, job_id: UUID, after: int) -> tuple[list[Event], bool]:
    """Events so far, and whether that is all. The job is read first: its outcome cannot slip in between unseen."""
    job = jobs.get(connection, client_id, job_id)
    return events.of_job(connection, job_id, after_sequence=after), job.state.is_final


def _fresh(gateway: Resources, client_id: UUID, job_id: UUID, after: int) -> tuple[list[Event], bool]:
    """The same for a stream: an erased job has ended, a database that is away has no news."""

    def look(connection: Connection) -> tuple[list[Event], bool]:
        try:
            return _past(connection, client_id, job_id, after)
        except NotFoundError:
            return events.of_job(connection, job_id, after_sequence=after), True

    try:
        return gateway.transact(look)
    except TemporaryError:
        return [], False


async def _stream(gateway: Resources, client_id: UUID, job_id: UUID, after: int) -> AsyncIterator[str]:
    """Events as text, and a comment now and then so that nobody on the way takes the silence for an end."""
    loop = asyncio.get_running_loop()
    keep_alive_s = gateway.settings.gateway.event_keep_alive_s
    spoken_at = loop.time()
    yield "retry: 1000\n\n"
    with gateway.watch.watching(job_id) as changed:
        while True:
            fresh, is_over = await run_in_threadpool(_fresh, gateway, client_id, job_id, after)
            for event in fresh:
                after, spoken_at = event.sequence, loop.time()
                yield _as_text(event)
            if is_over or gateway.watch.is_stopping:
                return
            if loop.time() - spoken_at >= keep_alive_s:
                spoken_at = loop.time()
                yield ": still here\n\n"
            await gateway.watch.pause(changed, max(spoken_at + keep_alive_s - loop.time(), 0))


def _as_text(event: Event) -> str:
    return f"id: {event.sequence}\nevent: {event.kind}\ndata: {json.dumps(event_to_json(event))}\n\n"


@router.get(
    "/v1/jobs/{job_id}/deliveries",
    response_model=DeliveriesOut,
    responses=documented(*SECURED, 404),
    summary="Deliveries to the callback address",
)
def listing(job_id: JobId, gateway: GatewayDep, key: Reader) -> JSONResponse:
    """What was sent to the job's callback address, and every attempt at it."""

    def work(connection: Connection) -> list[Delivery]:
        jobs.get(connection, key.client_id, job_id)
        return deliveries.of_job(connection, key.client_id, job_id)

    return JSONResponse({"deliveries": [_delivery_to_json(one) for one in gateway.transact(work)]})


def _delivery_to_json(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": str(delivery.id),
        "event_id": str(delivery.event_id),
        "url": delivery.url,
        "state": delivery.state.value,
        "attempts": [
            {
                "at": attempt.at.isoformat(),
                "status": attempt.status,
                "error": attempt.error,
                "milliseconds": round(attempt.milliseconds, 1),
            }
            for attempt in delivery.attempts
        ],
        "next_attempt_at": delivery.next_attempt_at.isoformat() if delivery.next_attempt_at else None,
    }
