"""Errors as pages: what happened, in plain words, and what to do."""

from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from services.gateway.problems import Problem
from services.gateway.request_ids import request_id_of
from services.gateway.web.i18n import Translator, preferred
from services.gateway.web.rendering import page
from services.gateway.web.users import CsrfError, LoginRequiredError, login_address
from services.gateway.web.visitors import Visit, visit_of
from shared.db.engine import is_connection_fault
from shared.domain.errors import ConflictError, NotFoundError, TemporaryError

log = structlog.get_logger(__name__)

_KNOWN = (400, 403, 404, 405, 409, 413, 422, 429, 503)


def install(app: FastAPI) -> None:
    """Every error of the pages becomes one."""
    app.add_exception_handler(LoginRequiredError, _log_in_first)
    for kind, status in _STATUSES.items():
        app.add_exception_handler(kind, _handler(status))
    app.add_exception_handler(Exception, _handler(lambda _: 500))


async def _log_in_first(_: Request, error: Exception) -> Response:
    path = error.next_path if isinstance(error, LoginRequiredError) else "/"
    return RedirectResponse(login_address(path), 303)


def _of_database(error: Any) -> int:
    return 503 if is_connection_fault(error) else 500


_STATUSES: dict[type[Exception], Callable[[Any], int]] = {
    CsrfError: lambda _: 403,
    Problem: lambda error: int(error.status),
    NotFoundError: lambda _: 404,
    ConflictError: lambda _: 409,
    TemporaryError: lambda _: 503,
    PoolTimeoutError: lambda _: 503,
    DBAPIError: _of_database,
    # An address with something impossible in it: there is no such page.
    RequestValidationError: lambda _: 404,
    HTTPException: lambda error: int(error.status_code),
    ClientDisconnect: lambda _: 400,
}


def _handler(status_of: Callable[[Any], int]) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(request: Request, error: Exception) -> Response:
        status = status_of(error)
        if status >= 500:
            log.warning("page failed", status=status, error=str(error)[:500])
        return await error_page(request, status, is_expired=isinstance(error, CsrfError))

    return handle


async def error_page(request: Request, status: int, *, is_expired: bool = False) -> Response:
    """The page of an error. It must come even while the database is away: then as for somebody unknown."""
    try:
        await visit_of(request)
    except (TemporaryError, PoolTimeoutError, DBAPIError):
        language = preferred(request.headers.get("accept-language", ""))
        request.state.visit = Visit(None, Translator(language), "")
    key = "error.expired" if is_expired else f"error.{status if status in _KNOWN else 500}"
    answer = page(request, "error.html", status, key=key, shown_status=status, request_id=request_id_of(request.scope))
    if status == 503:
        answer.headers["Retry-After"] = "5"
    return answer
