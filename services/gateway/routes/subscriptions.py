"""Who is told of what, beside a job's callback URL; and the secret that webhooks are signed with."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from sqlalchemy import Connection

from services.gateway.auth import Administrator, actor_of
from services.gateway.notification_schemas import RotatedSecretOut, SubscriptionIn, SubscriptionOut, SubscriptionsOut
from services.gateway.parameters import json_body
from services.gateway.problems import SECURED, documented
from services.gateway.receive import SMALL_JSON_BYTES, read_json
from services.gateway.resources import GatewayDep
from shared.db import audit, keys, subscriptions
from shared.db.audit import Action
from shared.domain.subscription import Subscription

router = APIRouter(tags=["notifications"])


@router.get(
    "/v1/subscriptions", response_model=SubscriptionsOut, responses=documented(*SECURED), summary="List subscriptions"
)
def listing(gateway: GatewayDep, key: Administrator) -> JSONResponse:
    """Those of the key's own client."""
    found = gateway.transact(lambda connection: subscriptions.of_client(connection, key.client_id))
    return JSONResponse({"subscriptions": [_to_json(one) for one in found]})


@router.post(
    "/v1/subscriptions",
    status_code=201,
    response_model=SubscriptionOut,
    responses=documented(*SECURED, 400, 409, 413),
    openapi_extra=json_body("SubscriptionIn"),
    summary="Subscribe",
)
async def add(request: Request, gateway: GatewayDep, key: Administrator) -> JSONResponse:
    """Tell a webhook or a mail address of events of all this client's jobs; without `kinds`, of outcomes."""
    body = await read_json(request, SMALL_JSON_BYTES, SubscriptionIn)

    def work(connection: Connection) -> Subscription:
        made = subscriptions.add(
            connection, key.client_id, url=body.address, kinds=set(body.kinds), language=body.language
        )
        audit.write(connection, actor_of(key), Action.SUBSCRIPTION_ADDED, made.id, url=made.url)
        return made

    return JSONResponse(_to_json(await run_in_threadpool(gateway.transact, work)), 201)


@router.delete(
    "/v1/subscriptions/{subscription_id}",
    status_code=204,
    response_class=Response,
    responses=documented(*SECURED, 404),
    summary="Unsubscribe",
)
def remove(subscription_id: UUID, gateway: GatewayDep, key: Administrator) -> Response:
    """End it at once: what was not delivered yet is not delivered any more."""

    def work(connection: Connection) -> None:
        subscriptions.remove(connection, key.client_id, subscription_id)
        audit.write(connection, actor_of(key), Action.SUBSCRIPTION_REMOVED, subscription_id)

    gateway.transact(work)
    return Response(status_code=204)


@router.post(
    "/v1/webhook-secret/rotate",
    response_model=RotatedSecretOut,
    responses=documented(*SECURED),
    summary="Change the webhook secret",
)
def rotate(
    gateway: GatewayDep,
    key: Administrator,
    overlap_hours: Annotated[int, Query(ge=0, le=24 * 30, description="how long the present one stays valid")] = 24,
) -> JSONResponse:
    """Make a new secret. For a while webhooks carry both signatures, so receivers change over in their own time."""
    secret, overlap = keys.new_webhook_secret(), timedelta(hours=overlap_hours)

    def work(connection: Connection) -> datetime:
        until, is_new = subscriptions.rotate_secret(connection, key.client_id, secret, overlap=overlap)
        if is_new:
            audit.write(connection, actor_of(key), Action.SECRET_ROTATED, key.client_id)
        return until

    until = gateway.transact(work)
    return JSONResponse({"webhook_secret": secret, "previous_valid_until": until.isoformat()})


def _to_json(one: Subscription) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "channel": one.channel.value,
        "url": one.url,
        "kinds": sorted(one.kinds),
        "language": one.language.value,
        "created_at": one.created_at.isoformat(),
        "disabled_at": one.disabled_at.isoformat() if one.disabled_at else None,
    }
