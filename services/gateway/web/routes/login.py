"""Log in, log out, sign up."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from sqlalchemy import Connection

from services.gateway.problems import Problem, ProblemCode
from services.gateway.resources import GatewayDep, Resources
from services.gateway.web import passwords
from services.gateway.web.rendering import page, redirect, set_cookie
from services.gateway.web.users import (
    CsrfError,
    CurrentVisit,
    PostedForm,
    PostedFormOfUser,
    has_token,
    read_form,
    safe_next,
)
from services.gateway.web.visitors import SESSION_COOKIE
from shared.db import accounts, audit, keys, login_attempts, sessions
from shared.db.accounts import Account, Role
from shared.db.audit import Action, Actor
from shared.domain.errors import ConflictError

router = APIRouter()


@router.get("/login")
def show_login(request: Request, visit: CurrentVisit, next: str = "/", ended: str = "") -> Response:  # noqa: A002
    """The form; whoever has a session already goes on."""
    if visit.user:
        return redirect(request, safe_next(next))
    return page(request, "login.html", next=safe_next(next), email="", fault=None, ended=ended == "idle")


@router.post("/login")
async def log_in(request: Request, gateway: GatewayDep, visit: CurrentVisit) -> Response:
    """The same answer for an unknown address and a wrong password, after the same time."""
    form = await read_form(request)
    email, next_path = accounts.normal_email(form.get("email", "")), safe_next(form.get("next", "/"))
    if not has_token(visit, form):
        # Logged in on another tab meanwhile, this person only goes on: nothing is changed, and no password tried.
        if visit.user and visit.user.email == email:
            return redirect(request, next_path)
        raise CsrfError
    password = form.get("password", "")[: passwords.MAX_LENGTH + 1]
    address = request.client.host if request.client else ""
    token = await run_in_threadpool(_try, gateway, email, password, address)
    if token is None:
        return page(
            request, "login.html", 401, next=next_path, email=form.get("email", ""), fault="login.wrong", ended=False
        )
    answer = redirect(request, next_path)
    set_cookie(request, answer, SESSION_COOKIE, token)
    return answer


def _try(gateway: Resources, email: str, password: str, address: str) -> str | None:
    """A new session's cookie value, None when e-mail or password is wrong; a problem when there were too many tries."""
    web = gateway.settings.web
    if gateway.transact(lambda c: login_attempts.begin(c, email, address, web.attempt_limits)) is None:
        raise Problem(ProblemCode.RATE_LIMITED, "Too many attempts.")
    found = gateway.transact(lambda connection: accounts.with_hash(connection, email))
    if not passwords.is_right(password, found[1] if found else None) or found is None:
        return None

    def work(connection: Connection) -> str:
        login_attempts.succeeded(connection, email, address)
        return _begin_session(gateway, connection, found[0], address)

    return gateway.transact(work)


def _begin_session(gateway: Resources, connection: Connection, account: Account, address: str) -> str:
    accounts.note_login(connection, account.id)
    actor = Actor(account.client_id, account_id=account.id)
    audit.write(connection, actor, Action.ACCOUNT_LOGIN, account.email, address=address)
    return sessions.open_one(connection, account.id, gateway.settings.web.session_limits)


@router.post("/logout")
def log_out(request: Request, gateway: GatewayDep, form: PostedFormOfUser, visit: CurrentVisit) -> Response:
    """End this session, here and in the database. One that has just ended by itself leads to the same page."""
    if visit.user:
        gateway.transact(lambda connection: sessions.close(connection, visit.token))
    if form.get("why") == "idle":
        back = urlencode({"ended": "idle", "next": safe_next(form.get("next", "/"))})
        answer = redirect(request, f"/login?{back}")
    else:
        answer = redirect(request, "/login", "flash.logged_out")
    answer.delete_cookie(SESSION_COOKIE, path="/")
    return answer


@router.get("/signup")
def show_signup(request: Request, visit: CurrentVisit) -> Response:
    """The form, or the word that accounts are made by administrators here."""
    if visit.user:
        return redirect(request, "/")
    return page(request, "signup.html", email="", fault=None, min_length=passwords.MIN_LENGTH)


@router.post("/signup")
def sign_up(request: Request, gateway: GatewayDep, form: PostedForm) -> Response:
    """A new operator, logged in at once."""
    email, password = accounts.normal_email(form.get("email", "")), form.get("password", "")
    address = request.client.host if request.client else ""
    fault, token = _sign_up(gateway, email, password, address)
    if token is None:
        values = {"email": form.get("email", ""), "fault": fault, "min_length": passwords.MIN_LENGTH}
        return page(request, "signup.html", 422, **values)
    answer = redirect(request, "/", "flash.welcome")
    set_cookie(request, answer, SESSION_COOKIE, token)
    return answer


def _sign_up(gateway: Resources, email: str, password: str, address: str) -> tuple[str | None, str | None]:
    """What was wrong (a text's key), or the new session's cookie value."""
    web = gateway.settings.web
    if not web.signup_open:
        return "signup.closed", None
    fault = passwords.fault(password, email) if accounts.is_email(email) else "signup.bad_email"
    if fault:
        return fault, None
    # Counted like failed log-ins: nobody learns here, by trying, who has an account, or makes accounts by the hundred.
    if gateway.transact(lambda c: login_attempts.begin(c, email, address, web.attempt_limits)) is None:
        raise Problem(ProblemCode.RATE_LIMITED, "Too many attempts.")
    hashed = passwords.hash_password(password)

    def work(connection: Connection) -> str:
        client = keys.ensure_client(connection, web.signup_client)
        account = accounts.create(connection, client.id, email, hashed, Role.OPERATOR)
        actor = Actor(client.id, account_id=account.id)
        audit.write(connection, actor, Action.ACCOUNT_CREATED, email, role=account.role)
        return _begin_session(gateway, connection, account, address)

    try:
        return None, gateway.transact(work)
    except ConflictError:
        return "signup.taken", None
