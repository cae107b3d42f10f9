"""Dependencies of pages: the person, who must be logged in and may be asked for a scope, and the form posted."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import PurePosixPath
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import Depends, Request
from starlette.routing import Match

from services.gateway.problems import Problem, ProblemCode
from services.gateway.web.visitors import CSRF_FIELD, User, Visit, is_csrf_token, visit_of
from shared.db.keys import Scope

_FORM_BYTES = 64 * 1024


class LoginRequiredError(Exception):
    """Somebody without a session wants a page that needs one; ``next_path`` is where to go afterwards."""

    def __init__(self, next_path: str) -> None:
        super().__init__(next_path)
        self.next_path = next_path


CurrentVisit = Annotated[Visit, Depends(visit_of)]


async def _user_of(request: Request, visit: CurrentVisit) -> User:
    if visit.user is None:
        raise LoginRequiredError(here(request))
    return visit.user


CurrentUser = Annotated[User, Depends(_user_of)]


def with_scope(scope: Scope) -> Callable[..., Awaitable[User]]:
    """A dependency: the person, whose role must allow ``scope``."""

    async def user(user: CurrentUser) -> User:
        if not user.may(scope):
            raise Problem(ProblemCode.SCOPE_MISSING, f"The role '{user.role}' does not allow this.")
        return user

    return user


SubmitUser = Annotated[User, Depends(with_scope(Scope.SUBMIT))]
ReadUser = Annotated[User, Depends(with_scope(Scope.READ))]
ReviewUser = Annotated[User, Depends(with_scope(Scope.REVIEW))]
AdminUser = Annotated[User, Depends(with_scope(Scope.ADMIN))]


def here(request: Request) -> str:
    """Where to come back to from elsewhere, say from another language: this page; after a form, the nearest above.

    A form's own address may show nothing: /account/password is none to look at, /account is.
    """
    if request.method == "GET":
        return request.url.path + (f"?{request.url.query}" if request.url.query else "")
    path = PurePosixPath(request.url.path)
    return next((str(one) for one in (path, *path.parents) if _is_page(request, str(one))), "/")


def _is_page(request: Request, path: str) -> bool:
    asked = {**request.scope, "method": "GET", "path": path}
    return any(route.matches(asked)[0] is Match.FULL for route in request.app.routes)


def login_address(next_path: str) -> str:
    """The log-in page that leads on to ``next_path``."""
    return "/login?" + urlencode({"next": next_path}) if next_path != "/" else "/login"


def safe_next(path: str) -> str:
    """Where to go after logging in: a page of ours and nowhere else, whatever the address says."""
    is_ours = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if is_ours else "/"


class CsrfError(Exception):
    """A form without the token of the person's cookie: old, or not ours."""


async def _posted(request: Request, visit: CurrentVisit) -> dict[str, str]:
    fields = await read_form(request)
    if not has_token(visit, fields):
        raise CsrfError
    return fields


def has_token(visit: Visit, fields: Mapping[str, str]) -> bool:
    """Whether the form was made for this visit."""
    return not visit.is_new and is_csrf_token(visit.token, fields.get(CSRF_FIELD))


async def _posted_by_user(request: Request, visit: CurrentVisit) -> dict[str, str]:
    return await _posted(request, visit) if visit.user else await read_form(request)


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a small form, unchecked. Of fields of the same name the last counts."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _FORM_BYTES:
            raise Problem(ProblemCode.INVALID_REQUEST, "The form is too large.", status=413)
    try:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200))
    except ValueError as error:
        raise Problem(ProblemCode.INVALID_REQUEST, "This is not a form.") from error
    return {name: text.replace("\0", "") for name, text in fields.items()}


PostedForm = Annotated[dict[str, str], Depends(_posted)]
"""The fields of a form whose CSRF token is right."""

PostedFormOfUser = Annotated[dict[str, str], Depends(_posted_by_user)]
"""The same, but without a session the token does not matter: there is nothing to protect."""
