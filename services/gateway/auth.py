"""Who is calling, and may they: API keys as bearer tokens, our pages' sessions, scopes, the rate limit of each."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.gateway.problems import Problem, ProblemCode
from services.gateway.resources import GatewayDep, Resources
from services.gateway.web.visitors import CSRF_HEADER, SESSION_COOKIE, api_caller, has_csrf_header
from shared.db import keys
from shared.db.audit import Actor
from shared.db.keys import ApiKey, Scope
from shared.domain.correction import Author

_bearer = HTTPBearer(auto_error=False, description="An API key: `Authorization: Bearer pk_…`")


def require(scope: Scope) -> Callable[..., Awaitable[ApiKey]]:
    """A dependency: the caller's key, which must have ``scope`` (or ``admin``) and requests left this minute."""

    async def caller(
        request: Request,
        gateway: GatewayDep,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    ) -> ApiKey:
        key = await _caller(request, gateway, credentials, scope)
        request.scope["state"]["key_prefix"] = key.prefix
        if not key.scopes & {scope, Scope.ADMIN}:
            raise Problem(ProblemCode.SCOPE_MISSING, f"This key lacks the scope '{scope}'.")
        seconds = await gateway.rate_limiter.seconds_to_wait(key)
        if seconds is not None:
            raise Problem(
                ProblemCode.RATE_LIMITED,
                f"This key may make {key.requests_per_minute} requests a minute; wait {seconds} s.",
                headers={"Retry-After": str(seconds)},
            )
        return key

    return caller


async def _caller(
    request: Request, gateway: Resources, credentials: HTTPAuthorizationCredentials | None, scope: Scope
) -> ApiKey:
    """The key, or, for our own pages, the person of the session cookie. Keys are managed with a key alone."""
    if "authorization" in request.headers or SESSION_COOKIE not in request.cookies or scope is Scope.ADMIN:
        return await _authenticate(gateway, credentials.credentials if credentials else "")
    person = await api_caller(request)
    if person is None:
        return await _authenticate(gateway, "")
    if request.method not in ("GET", "HEAD") and not has_csrf_header(request):
        raise Problem(ProblemCode.SCOPE_MISSING, f"Requests with a session must carry its token in {CSRF_HEADER}.")
    return person


async def _authenticate(gateway: Resources, text: str) -> ApiKey:
    key = gateway.key_ring.recall(text) if text else None
    if key is None and text:
        key = await run_in_threadpool(gateway.transact, lambda connection: keys.authenticate(connection, text))
        if key is not None:
            gateway.key_ring.remember(text, key)
    if key is None:
        raise Problem(
            ProblemCode.UNAUTHENTICATED,
            "Send a valid API key: 'Authorization: Bearer KEY'.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return key


Submitter = Annotated[ApiKey, Depends(require(Scope.SUBMIT))]
Reader = Annotated[ApiKey, Depends(require(Scope.READ))]
Reviewer = Annotated[ApiKey, Depends(require(Scope.REVIEW))]
Administrator = Annotated[ApiKey, Depends(require(Scope.ADMIN))]


def actor_of(key: ApiKey) -> Actor:
    """Who the audit log names."""
    return Actor(key.client_id, None if key.account_id else key.id, key.account_id)


def author_of(key: ApiKey) -> Author:
    """Who answers for what is written with this key."""
    return Author(key.id, key.name)
