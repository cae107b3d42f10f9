"""Is it alive, can it work, what does it count. No key needed; nothing secret shown."""

import asyncio
from collections.abc import Awaitable

import structlog
from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import text

from services.gateway.answer_schemas import AliveOut, ReadinessOut
from services.gateway.resources import GatewayDep, Resources

log = structlog.get_logger(__name__)
router = APIRouter(tags=["operation"])
_CHECK_S = 4.0


@router.get("/healthz", response_model=AliveOut, summary="Alive")
async def alive() -> JSONResponse:
    """The process answers; nothing else is looked at."""
    return JSONResponse({"status": "alive"})


@router.get(
    "/readyz",
    response_model=ReadinessOut,
    responses={503: {"model": ReadinessOut, "description": "Database or object store is away"}},
    summary="Ready",
)
async def ready(gateway: GatewayDep) -> JSONResponse:
    """Whether jobs can be accepted. A missing broker does not prevent that: jobs start once it is back."""
    parts = await probe_parts(gateway)
    works = parts["database"] == parts["store"] == "ok"
    status = ("ready" if parts["broker"] == "ok" else "degraded") if works else "unavailable"
    body = {"status": status, **parts}
    return JSONResponse(body, 200 if works else 503, {"Cache-Control": "no-store"})


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    summary="Metrics",
)
async def metrics(gateway: GatewayDep) -> Response:
    """Prometheus' text format."""
    return Response(gateway.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)


async def probe_parts(gateway: Resources) -> dict[str, str]:
    """``database``, ``store`` and ``broker``, each "ok" or what is the matter."""
    answers = await asyncio.gather(
        _probe("database", run_in_threadpool(_ask_database, gateway)),
        _probe("store", run_in_threadpool(gateway.objects.check)),
        _probe("broker", gateway.rate_limiter.check()),
    )
    return dict(zip(("database", "store", "broker"), answers, strict=True))


async def _probe(name: str, check: Awaitable[None]) -> str:
    try:
        await asyncio.wait_for(check, _CHECK_S)
    except TimeoutError:
        return "no answer in time"
    except Exception as error:
        # Whatever it is, the part does not work; the reason is for the log, not for strangers.
        log.warning("not ready", part=name, error=str(error))
        return "unreachable"
    return "ok"


def _ask_database(gateway: Resources) -> None:
    with gateway.engine.connect() as connection:
        connection.execute(text("select 1"))
