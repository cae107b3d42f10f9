"""What was sent, what was not, and sending it once more."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from sqlalchemy import Connection

from services.gateway.auth import Reader, Submitter, actor_of
from services.gateway.notification_schemas import DeliveryPageOut, ListedDeliveryOut
from services.gateway.parameters import decode_cursor, encode_cursor
from services.gateway.problems import SECURED, Problem, ProblemCode, documented
from services.gateway.resources import GatewayDep
from shared.db import audit, deliveries
from shared.db.audit import Action
from shared.db.keys import ApiKey, Scope
from shared.domain.delivery import Delivery, DeliveryState

router = APIRouter(tags=["notifications"])


class Audience(StrEnum):
    """A client's own deliveries, or the notices to those who run this installation."""

    CLIENT = "client"
    OPERATORS = "operators"


For = Annotated[Audience, Query(alias="to", description="`operators` needs a key with the scope admin")]


@router.get("/v1/deliveries", response_model=DeliveryPageOut, responses=documented(*SECURED), summary="List deliveries")
def listing(
    gateway: GatewayDep,
    key: Reader,
    state: Annotated[list[DeliveryState], Query(max_length=10)] = [],  # noqa: B006 - FastAPI copies defaults
    audience: For = Audience.CLIENT,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=100, description="`next_cursor` of the answer before")] = None,
) -> JSONResponse:
    """Newest first, with every attempt."""
    client_id = _client_of(key, audience)
    before = decode_cursor(cursor) if cursor else None
    found = gateway.transact(
        lambda connection: deliveries.newest(connection, client_id, state, before=before, limit=limit + 1)
    )
    shown = found[:limit]
    following = encode_cursor(shown[-1].id) if len(found) > limit else None
    return JSONResponse({"deliveries": [_to_json(one) for one in shown], "next_cursor": following})


@router.post(
    "/v1/deliveries/{delivery_id}/replay",
    status_code=202,
    response_model=ListedDeliveryOut,
    responses=documented(*SECURED, 404, 409),
    summary="Deliver once more",
)
def replay(delivery_id: UUID, gateway: GatewayDep, key: Submitter, audience: For = Audience.CLIENT) -> JSONResponse:
    """Send what was delivered, given up or disabled once more, with all its attempts. The message is the same."""
    client_id = _client_of(key, audience)

    def work(connection: Connection) -> Delivery:
        found = deliveries.replay(connection, client_id, delivery_id)
        audit.write(connection, actor_of(key), Action.DELIVERY_REPLAYED, delivery_id)
        return found

    return JSONResponse(_to_json(gateway.transact(work)), 202)


def _client_of(key: ApiKey, audience: Audience) -> UUID | None:
    if audience is Audience.CLIENT:
        return key.client_id
    # A session's administrator is one of their own client, and these are told of what happens to any.
    if Scope.ADMIN not in key.scopes or key.account_id:
        raise Problem(ProblemCode.SCOPE_MISSING, f"A key with the scope '{Scope.ADMIN}' is needed.")
    return None


def _to_json(one: Delivery) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "event_id": str(one.event_id) if one.event_id else None,
        "job_id": str(one.job_id) if one.job_id else None,
        "kind": one.kind,
        "channel": one.channel.value,
        "url": one.url,
        "state": one.state.value,
        "attempts": [
            {
                "at": attempt.at.isoformat(),
                "status": attempt.status,
                "error": attempt.error,
                "milliseconds": round(attempt.milliseconds, 1),
            }
            for attempt in one.attempts
        ],
        "created_at": one.created_at.isoformat(),
        "next_attempt_at": one.next_attempt_at.isoformat() if one.next_attempt_at else None,
    }
