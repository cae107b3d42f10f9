"""What surrounds every request: its id, its log line, its metrics, and the last catch for errors nobody expected."""

import time

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway import request_ids
from services.gateway.metrics import Metrics
from services.gateway.problems import INTERNAL, problem_response
from shared import tracing

log = structlog.get_logger("gateway.access")

_QUIET = ("/healthz", "/readyz", "/metrics")


class RequestContext:
    """Outermost layer of the application, plain ASGI so that streaming passes through untouched."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection event stream."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_ids.assign(scope)
        tracing.note_request(scope["headers"])
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        await self._answer(scope, receive, send, request_id)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        started = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *_own_headers(request_id)]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            log.exception("unexpected error", method=scope["method"], path=scope["path"])
            if not status:
                await _internal_error(scope, receive, send_with_id)
        finally:
            self._account(scope, status, time.perf_counter() - started)

    def _account(self, scope: Scope, status: int, seconds: float) -> None:
        template = _route_of(scope)
        self._metrics.request(template, scope["method"], status, seconds)
        level = log.debug if template in _QUIET else log.info
        level(
            "request",
            method=scope["method"],
            path=scope["path"],
            status=status,
            milliseconds=round(seconds * 1000, 1),
            key=scope["state"].get("key_prefix"),
        )


def _route_of(scope: Scope) -> str:
    """The route's template: metrics labelled with plain paths would grow without end."""
    return str(getattr(scope.get("route"), "path", "(none)"))


def _own_headers(request_id: str) -> list[tuple[bytes, bytes]]:
    return [(b"x-request-id", request_id.encode()), (b"x-content-type-options", b"nosniff")]


async def _internal_error(scope: Scope, receive: Receive, send: Send) -> None:
    await problem_response(Request(scope), INTERNAL)(scope, receive, send)
