"""API keys, for administrators."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from sqlalchemy import Connection

from services.gateway.answer_schemas import KeysOut, NewKeyOut
from services.gateway.auth import Administrator, actor_of
from services.gateway.parameters import json_body
from services.gateway.problems import SECURED, documented
from services.gateway.receive import SMALL_JSON_BYTES, read_json
from services.gateway.request_schemas import KeyIn
from services.gateway.resources import GatewayDep
from shared.db import audit, keys
from shared.db.audit import Action
from shared.db.keys import ApiKey

router = APIRouter(tags=["keys"])


@router.get("/v1/keys", response_model=KeysOut, responses=documented(*SECURED), summary="List keys")
def listing(gateway: GatewayDep, _: Administrator) -> JSONResponse:
    """All keys of all clients, newest first, without their texts."""
    return JSONResponse({"keys": [_key_to_json(one) for one in gateway.transact(keys.everyone)]})


@router.post(
    "/v1/keys",
    status_code=201,
    response_model=NewKeyOut,
    responses=documented(*SECURED, 400, 413),
    openapi_extra=json_body("KeyIn"),
    summary="Make a key",
)
async def create(request: Request, gateway: GatewayDep, key: Administrator) -> JSONResponse:
    """The answer is the only time the key's text is shown. A client nobody knows yet is made."""
    body = await read_json(request, SMALL_JSON_BYTES, KeyIn)
    text = keys.new_key_text()

    def work(connection: Connection) -> dict[str, Any]:
        made, is_new = keys.create_once(
            connection,
            text,
            client_name=body.client or key.client_name,
            name=body.name,
            scopes=list(dict.fromkeys(body.scopes)),
            requests_per_minute=body.requests_per_minute,
        )
        secret = keys.client(connection, made.client_id).webhook_secret
        if is_new:
            about = {"name": made.name, "client": made.client_name, "scopes": sorted(made.scopes)}
            audit.write(connection, actor_of(key), Action.KEY_CREATED, made.prefix, **about)
        return {**_key_to_json(made), "key": text, "webhook_secret": secret}

    return JSONResponse(await run_in_threadpool(gateway.transact, work), 201)


@router.delete(
    "/v1/keys/{key_id}",
    status_code=204,
    response_class=Response,
    responses=documented(*SECURED, 404),
    summary="Revoke a key",
)
def revoke(key_id: UUID, gateway: GatewayDep, key: Administrator) -> Response:
    """End a key: at once here, within seconds on other gateways."""

    def work(connection: Connection) -> None:
        keys.revoke(connection, key_id)
        audit.write(connection, actor_of(key), Action.KEY_REVOKED, key_id)

    gateway.transact(work)
    gateway.key_ring.forget(key_id)
    return Response(status_code=204)


def _key_to_json(key: ApiKey) -> dict[str, Any]:
    return {
        "id": str(key.id),
        "name": key.name,
        "client": key.client_name,
        "prefix": key.prefix,
        "scopes": sorted(key.scopes),
        "requests_per_minute": key.requests_per_minute,
        "created_at": key.created_at.isoformat(),
        "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
    }
