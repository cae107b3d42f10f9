"""One's own account: password, language, and the sign that one is still there."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from services.gateway.problems import Problem, ProblemCode
from services.gateway.resources import GatewayDep, Resources
from services.gateway.web import i18n, passwords
from services.gateway.web.rendering import page, redirect, set_cookie
from services.gateway.web.users import CurrentUser, CurrentVisit, PostedForm, safe_next
from services.gateway.web.visitors import LANGUAGE_COOKIE, SESSION_COOKIE, User
from shared.db import accounts, audit, login_attempts, sessions
from shared.db.audit import Action

router = APIRouter()

_YEAR_S = 365 * 24 * 3600


@router.get("/account")
def show(request: Request, _: CurrentUser) -> Response:
    """Who one is here, and the form for another password."""
    return page(request, "account.html", fault=None, min_length=passwords.MIN_LENGTH)


@router.post("/account/password")
def change_password(request: Request, gateway: GatewayDep, user: CurrentUser, form: PostedForm) -> Response:
    """Change it and end every other session."""
    address = request.client.host if request.client else ""
    fault, token = _change(gateway, user, form.get("current", ""), form.get("new", ""), address)
    if token is None:
        return page(request, "account.html", 422, fault=fault, min_length=passwords.MIN_LENGTH)
    answer = redirect(request, "/account", "flash.password_changed")
    set_cookie(request, answer, SESSION_COOKIE, token)
    return answer


def _change(gateway: Resources, user: User, current: str, new: str, address: str) -> tuple[str | None, str | None]:
    web = gateway.settings.web
    fault = passwords.fault(new, user.email)
    if fault:
        return fault, None
    if gateway.transact(lambda c: login_attempts.begin(c, user.email, address, web.attempt_limits)) is None:
        raise Problem(ProblemCode.RATE_LIMITED, "Too many attempts.")
    found = gateway.transact(lambda connection: accounts.with_hash(connection, user.email))
    if not passwords.is_right(current, found[1] if found else None):
        return "account.wrong_password", None
    hashed = passwords.hash_password(new)

    def work(connection: Connection) -> str:
        login_attempts.succeeded(connection, user.email, address)
        accounts.set_password(connection, user.account_id, hashed)
        audit.write(connection, user.actor, Action.ACCOUNT_PASSWORD, user.email)
        return sessions.open_one(connection, user.account_id, web.session_limits)

    return None, gateway.transact(work)


@router.post("/language")
def choose_language(request: Request, gateway: GatewayDep, visit: CurrentVisit, form: PostedForm) -> Response:
    """Remembered with the account, or by the browser for who has none."""
    language = form.get("language", "")
    answer = redirect(request, safe_next(form.get("next", "/")))
    if language in i18n.LANGUAGES:
        set_cookie(request, answer, LANGUAGE_COOKIE, language, max_age=_YEAR_S)
        user = visit.user
        if user:
            gateway.transact(lambda connection: accounts.set_language(connection, user.account_id, language))
    return answer


@router.post("/session/touch", status_code=204)
def touch(_user: CurrentUser, _form: PostedForm) -> Response:
    """The person is still there: reading the session has already said so."""
    return Response(status_code=204)
