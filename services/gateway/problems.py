"""Every answer that is not a success: RFC 9457 problem details with a stable ``code``, made in this one place."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from services.gateway.request_ids import request_id_of
from shared.db.engine import is_connection_fault
from shared.db.jobs import IdempotencyMismatchError
from shared.domain.errors import ConflictError, ErrorCode, NotFoundError, ParapheError, StaleError

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2


class ProblemCode(StrEnum):
    """The gateway's own codes; those about documents are ``ErrorCode``'s. Never renamed once released."""

    UNAUTHENTICATED = "unauthenticated"
    SCOPE_MISSING = "scope_missing"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    CONFLICT = "conflict"
    INVALID_JSON = "invalid_json"
    INVALID_BASE64 = "invalid_base64"
    INVALID_REQUEST = "invalid_request"
    IDEMPOTENCY_MISMATCH = "idempotency_mismatch"
    LENGTH_MISMATCH = "length_mismatch"
    RATE_LIMITED = "rate_limited"
    BACKLOG_FULL = "backlog_full"
    STILL_PROCESSING = "still_processing"
    UPLOAD_MISSING = "upload_missing"
    UPLOAD_CHANGED = "upload_changed"
    PRECONDITION_FAILED = "precondition_failed"
    PRECONDITION_REQUIRED = "precondition_required"


_STATUSES: dict[str, int] = {
    ProblemCode.INVALID_JSON: 400,
    ProblemCode.LENGTH_MISMATCH: 400,
    ProblemCode.UNAUTHENTICATED: 401,
    ProblemCode.SCOPE_MISSING: 403,
    ProblemCode.NOT_FOUND: 404,
    ErrorCode.PAGE_OUT_OF_RANGE: 404,
    ProblemCode.METHOD_NOT_ALLOWED: 405,
    ProblemCode.CONFLICT: 409,
    ProblemCode.UPLOAD_MISSING: 409,
    ProblemCode.UPLOAD_CHANGED: 409,
    ProblemCode.PRECONDITION_FAILED: 412,
    ErrorCode.DOCUMENT_TOO_LARGE: 413,
    ErrorCode.UNSUPPORTED_TYPE: 415,
    ErrorCode.WRONG_CONTENT_TYPE: 415,
    ProblemCode.PRECONDITION_REQUIRED: 428,
    ProblemCode.RATE_LIMITED: 429,
    ErrorCode.INTERNAL_ERROR: 500,
    ErrorCode.DATABASE_UNAVAILABLE: 503,
    ErrorCode.STORE_UNAVAILABLE: 503,
    ErrorCode.DOCUMENT_MISSING: 503,  # until somebody puts it back
    ProblemCode.BACKLOG_FULL: 503,
    ProblemCode.STILL_PROCESSING: 504,
}


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it so
    """Ends a request. ``errors`` are (JSON pointer, sentence) pairs that say which parts of the request are wrong."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        status: int | None = None,
        errors: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = str(code)
        self.detail = detail
        self.status = status or _STATUSES.get(code, 422)
        self.errors = errors
        self.headers = dict(headers or {})
        if self.status == 503:
            self.headers.setdefault("Retry-After", str(RETRY_AFTER_S))


def invalid(pointer: str, detail: str) -> Problem:
    """The request is well formed, but one part of it is not acceptable."""
    return Problem(
        ProblemCode.INVALID_REQUEST, "The request is not acceptable; see errors.", errors=[(pointer, detail)]
    )


def invalid_parts(errors: Sequence[Any], prefix: str = "") -> Problem:
    """The same from pydantic's error list. What was sent is not repeated in the answer."""
    parts = [(prefix + _pointer(error["loc"]), _sentence(error)) for error in errors[:20]]
    return Problem(ProblemCode.INVALID_REQUEST, "The request is not acceptable; see errors.", errors=parts)


def _pointer(location: Sequence[Any]) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in location)


def _sentence(error: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "There is no such field."
    text = str(error["msg"]).removeprefix("Value error, ")
    return text if text.endswith(".") else f"{text}."


def problem_response(request: Request, problem: Problem) -> JSONResponse:
    """The answer a problem becomes."""
    body: dict[str, Any] = {
        "type": f"urn:paraphe:problem:{problem.code}",
        "title": problem.code.replace("_", " ").capitalize(),
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        "instance": request.url.path,
        "request_id": request_id_of(request.scope),
    }
    if problem.errors:
        body["errors"] = [{"pointer": pointer, "detail": detail} for pointer, detail in problem.errors]
    return JSONResponse(body, problem.status, problem.headers, media_type=MEDIA_TYPE)


INTERNAL = Problem(
    ErrorCode.INTERNAL_ERROR,
    "Something went wrong here; it has been logged under this request id. Trying again may help.",
    status=500,
)


def _of_validation(_: Request, error: RequestValidationError) -> Problem:
    return invalid_parts(error.errors())


def _of_idempotency(_: Request, error: IdempotencyMismatchError) -> Problem:  # noqa: ARG001
    return Problem(
        ProblemCode.IDEMPOTENCY_MISMATCH,
        "This idempotency key was used for another document or other options. Use a new key.",
    )


def _of_departure(_: Request, error: ClientDisconnect) -> Problem:  # noqa: ARG001
    return Problem(ProblemCode.LENGTH_MISMATCH, "The connection ended before the whole body had arrived.")


def _of_busy_pool(_: Request, error: PoolTimeoutError) -> Problem:  # noqa: ARG001
    return Problem(ErrorCode.DATABASE_UNAVAILABLE, "The database is too busy to answer in time.")


def _of_database(_: Request, error: DBAPIError) -> Problem:
    if not is_connection_fault(error):
        raise error
    return Problem(ErrorCode.DATABASE_UNAVAILABLE, "The database cannot be reached.")


def _of_framework(request: Request, error: HTTPException) -> Problem:
    if error.status_code == 405:
        headers = {"Allow": ", ".join(_allowed_methods(request))}
        return Problem(
            ProblemCode.METHOD_NOT_ALLOWED, f"{request.method} is not possible on this address.", headers=headers
        )
    if error.status_code == 404:
        return Problem(ProblemCode.NOT_FOUND, "There is nothing at this address.")
    return Problem(ProblemCode.INVALID_REQUEST, str(error.detail), status=error.status_code)


def _allowed_methods(request: Request) -> list[str]:
    """All methods of this address: the framework names only those of the first route that fits."""
    methods: set[str] = set()
    for route in request.app.state.api_routes:
        if route.path_regex.match(request.url.path):
            methods |= route.methods
    return sorted(methods)


_TRANSLATIONS: dict[type[Exception], Callable[[Request, Any], Problem]] = {
    Problem: lambda _, error: error,
    NotFoundError: lambda _, error: Problem(ProblemCode.NOT_FOUND, str(error)),
    ConflictError: lambda _, error: Problem(ProblemCode.CONFLICT, str(error)),
    StaleError: lambda _, error: Problem(ProblemCode.PRECONDITION_FAILED, str(error)),
    ParapheError: lambda _, error: Problem(error.code, error.detail),
    IdempotencyMismatchError: _of_idempotency,
    RequestValidationError: _of_validation,
    ClientDisconnect: _of_departure,
    PoolTimeoutError: _of_busy_pool,
    DBAPIError: _of_database,
    HTTPException: _of_framework,
}


def install(app: FastAPI) -> None:
    """Turn every error we know into a problem. Others are mistakes of ours: the request context answers 500."""
    for kind, translate in _TRANSLATIONS.items():
        app.add_exception_handler(kind, _handler(translate))


def _handler(translate: Callable[[Request, Any], Problem]) -> Callable[[Request, Exception], Awaitable[JSONResponse]]:
    async def handle(request: Request, error: Exception) -> JSONResponse:
        problem = translate(request, error)
        if problem.status >= 500:
            log.warning("request failed", code=problem.code, detail=problem.detail)
        return problem_response(request, problem)

    return handle


_SUMMARIES = {
    400: "The body is not what its headers say, or not JSON",
    401: "No key, or none of ours",
    403: "The key lacks the scope",
    404: "No such thing for this client",
    405: "Not possible on this address",
    409: "Its state does not allow this",
    412: "Somebody changed it since it was read; nothing was written",
    413: "The document is too large",
    415: "Not a document we take, or not of the type it was declared as",
    422: "Understood, but not acceptable",
    428: "It must be read first: `If-Match` is missing",
    429: "Too many requests for this key",
    503: "Database, object store or queue cannot take this now",
    504: "Not finished within the time waited",
}
_RETRY_HEADER = {"Retry-After": {"description": "Seconds to wait before trying again", "schema": {"type": "integer"}}}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses for these problem statuses."""
    return {status: _documented_one(status) for status in sorted(statuses)}


def _documented_one(status: int) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": _SUMMARIES[status],
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in (429, 503):
        answer["headers"] = _RETRY_HEADER
    return answer


SECURED = (401, 403, 422, 429, 503)
"""Statuses any route behind a key may answer with."""
