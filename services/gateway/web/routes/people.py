"""Accounts, for administrators."""

from collections.abc import Callable
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from services.gateway.problems import Problem, ProblemCode
from services.gateway.resources import GatewayDep, Resources
from services.gateway.web import passwords
from services.gateway.web.rendering import page, redirect
from services.gateway.web.users import AdminUser, PostedForm
from services.gateway.web.visitors import User
from shared.db import accounts, audit
from shared.db.accounts import Role
from shared.db.audit import Action
from shared.domain.errors import ConflictError

router = APIRouter()


@router.get("/admin/accounts")
def show(request: Request, gateway: GatewayDep, user: AdminUser) -> Response:
    """Everybody of the administrator's client."""
    return _page(request, gateway, user)


def _page(
    request: Request,
    gateway: Resources,
    user: User,
    fault: str | None = None,
    *,
    email: str = "",
    reset_id: UUID | None = None,
) -> Response:
    """``fault`` is one of the password for the account ``reset_id``, else of the new account for ``email``."""
    people = gateway.transact(lambda connection: accounts.everyone(connection, user.client_id))
    values = {"people": people, "roles": list(Role), "fault": fault, "email": email, "reset_id": reset_id}
    return page(request, "admin_accounts.html", 422 if fault else 200, min_length=passwords.MIN_LENGTH, **values)


@router.post("/admin/accounts")
def create(request: Request, gateway: GatewayDep, user: AdminUser, form: PostedForm) -> Response:
    """A new account, whose first password the administrator hands over."""
    email, password = accounts.normal_email(form.get("email", "")), form.get("password", "")
    role = _role(form)
    fault = passwords.fault(password, email) if accounts.is_email(email) else "signup.bad_email"
    if fault:
        return _page(request, gateway, user, fault, email=email)
    hashed = passwords.hash_password(password)

    def work(connection: Connection) -> None:
        accounts.create(connection, user.client_id, email, hashed, role)
        audit.write(connection, user.actor, Action.ACCOUNT_CREATED, email, role=role)

    try:
        gateway.transact(work)
    except ConflictError:
        return _page(request, gateway, user, "people.taken", email=email)
    return redirect(request, "/admin/accounts", "flash.account_created")


@router.post("/admin/accounts/{account_id}/role")
def change_role(request: Request, account_id: UUID, gateway: GatewayDep, user: AdminUser, form: PostedForm) -> Response:
    """Another role; what the person has open follows it at once."""
    role = _role(form)

    def work(connection: Connection) -> None:
        changed = accounts.set_role(connection, user.client_id, account_id, role)
        audit.write(connection, user.actor, Action.ACCOUNT_ROLE, changed.email, role=role)

    return _change(request, gateway, work)


@router.post("/admin/accounts/{account_id}/password")
def reset_password(
    request: Request, account_id: UUID, gateway: GatewayDep, user: AdminUser, form: PostedForm
) -> Response:
    """A new password for somebody who forgot theirs, to be handed over; what the person has open ends."""
    account = gateway.transact(lambda connection: accounts.get(connection, user.client_id, account_id))
    password = form.get("password", "")
    fault = passwords.fault(password, account.email)
    if fault:
        return _page(request, gateway, user, fault, reset_id=account.id)
    hashed = passwords.hash_password(password)

    def work(connection: Connection) -> None:
        accounts.set_password(connection, account.id, hashed)
        audit.write(connection, user.actor, Action.ACCOUNT_PASSWORD, account.email)

    gateway.transact(work)
    return redirect(request, "/admin/accounts", "flash.password_reset")


@router.post("/admin/accounts/{account_id}/{what}")
def lock(
    request: Request, account_id: UUID, what: str, gateway: GatewayDep, user: AdminUser, _: PostedForm
) -> Response:
    """``disable`` locks somebody out at once, ``enable`` lets them in again."""
    if what not in ("disable", "enable"):
        raise Problem(ProblemCode.NOT_FOUND, "There is nothing at this address.")
    disabled = what == "disable"

    def work(connection: Connection) -> None:
        changed = accounts.set_disabled(connection, user.client_id, account_id, disabled=disabled)
        action = Action.ACCOUNT_DISABLED if disabled else Action.ACCOUNT_ENABLED
        audit.write(connection, user.actor, action, changed.email)

    return _change(request, gateway, work)


def _change(request: Request, gateway: Resources, work: Callable[[Connection], None]) -> Response:
    try:
        gateway.transact(work)
    except ConflictError:
        return redirect(request, "/admin/accounts", "flash.last_administrator")
    return redirect(request, "/admin/accounts", "flash.account_changed")


def _role(form: dict[str, str]) -> Role:
    try:
        return Role(form.get("role", ""))
    except ValueError as error:
        raise Problem(ProblemCode.INVALID_REQUEST, "There is no such role.") from error
