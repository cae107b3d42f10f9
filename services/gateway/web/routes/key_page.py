"""API keys of the administrator's client.

Whoever administers a client has power over that client alone, and a key with the scope ``admin`` over all of them: such
keys are made with a key of that scope, or where Paraphe runs, and never here.
"""

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from services.gateway.resources import GatewayDep, Resources
from services.gateway.web.rendering import page, redirect
from services.gateway.web.users import AdminUser, PostedForm
from services.gateway.web.visitors import User
from shared.db import audit, keys
from shared.db.audit import Action
from shared.db.keys import ApiKey, Scope

router = APIRouter()

_LONGEST_NAME = 100
_SCOPES = [scope for scope in Scope if scope is not Scope.ADMIN]


@router.get("/admin/keys")
def show(request: Request, gateway: GatewayDep, user: AdminUser) -> Response:
    """The keys, and the form for another."""
    return _page(request, gateway, user)


def _page(
    request: Request, gateway: Resources, user: User, made: tuple[ApiKey, str] | None = None, fault: str | None = None
) -> Response:
    found = gateway.transact(lambda connection: keys.of_client(connection, user.client_id))
    status = 422 if fault else 200
    return page(request, "admin_keys.html", status, keys=found, scopes=_SCOPES, made=made, fault=fault)


@router.post("/admin/keys")
def create(request: Request, gateway: GatewayDep, user: AdminUser, form: PostedForm) -> Response:
    """A new key. This answer is the only time its text is shown."""
    name = "".join(character for character in form.get("name", "") if character.isprintable()).strip()
    scopes = [scope for scope in _SCOPES if form.get(f"scope-{scope}")]
    if not name or len(name) > _LONGEST_NAME or not scopes:
        return _page(request, gateway, user, fault="keys.incomplete")
    text = keys.new_key_text()

    def work(connection: Connection) -> ApiKey:
        made, is_new = keys.create_once(connection, text, client_name=user.client_name, name=name, scopes=scopes)
        if is_new:
            audit.write(connection, user.actor, Action.KEY_CREATED, made.prefix, name=name, scopes=sorted(scopes))
        return made

    return _page(request, gateway, user, made=(gateway.transact(work), text))


@router.post("/admin/keys/{key_id}/revoke")
def revoke(request: Request, key_id: UUID, gateway: GatewayDep, user: AdminUser, _: PostedForm) -> Response:
    """End a key: at once here, within seconds on other gateways."""

    def work(connection: Connection) -> None:
        keys.revoke(connection, key_id, user.client_id)
        audit.write(connection, user.actor, Action.KEY_REVOKED, key_id)

    gateway.transact(work)
    gateway.key_ring.forget(key_id)
    return redirect(request, "/admin/keys", "flash.key_revoked")
