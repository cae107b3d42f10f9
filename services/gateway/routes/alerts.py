"""What Alertmanager has told the notifier."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from services.gateway.auth import Administrator
from services.gateway.notification_schemas import AlertsOut
from services.gateway.parameters import decode_cursor, encode_cursor
from services.gateway.problems import SECURED, documented
from services.gateway.resources import GatewayDep
from shared.db import alerts
from shared.domain.alert import Alert, AlertState

router = APIRouter(tags=["notifications"])


@router.get("/v1/alerts", response_model=AlertsOut, responses=documented(*SECURED), summary="List alerts")
def listing(
    gateway: GatewayDep,
    _: Administrator,
    state: AlertState | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=100, description="`next_cursor` of the answer before")] = None,
) -> JSONResponse:
    """Newest first, over the whole installation."""
    before = decode_cursor(cursor) if cursor else None
    found = gateway.transact(lambda connection: alerts.newest(connection, state, before=before, limit=limit + 1))
    shown = found[:limit]
    following = encode_cursor(shown[-1][0]) if len(found) > limit else None
    return JSONResponse({"alerts": [_to_json(alert) for _, alert in shown], "next_cursor": following})


def _to_json(alert: Alert) -> dict[str, Any]:
    return {
        "fingerprint": alert.fingerprint,
        "name": alert.name,
        "severity": alert.severity,
        "state": alert.state.value,
        "labels": alert.labels,
        "annotations": alert.annotations,
        "starts_at": alert.starts_at.isoformat(),
        "ends_at": alert.ends_at.isoformat() if alert.ends_at else None,
    }
