"""Who did what to whom: filtered, paged, exported."""

from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.gateway.resources import GatewayDep, Resources
from services.gateway.web.audit_query import FIELDS, read_audit_query
from services.gateway.web.query import cursor
from services.gateway.web.rendering import page
from services.gateway.web.spreadsheets import csv_answer
from services.gateway.web.users import AdminUser
from services.gateway.web.visitors import User
from shared.db import audit
from shared.db.audit import Action, AuditFilter

router = APIRouter()

_PAGE = 50
_EXPORT_PAGE = 500
_EXPORT_MOST = 100_000


@router.get("/admin/audit")
def show(request: Request, gateway: GatewayDep, user: AdminUser) -> Response:
    """The lines, newest first."""
    query = read_audit_query(request.query_params)
    before = cursor(request.query_params.get("before", ""))
    lines = gateway.transact(
        lambda connection: audit.newest(connection, user.client_id, query.which, before=before, limit=_PAGE + 1)
    )
    shown = lines[:_PAGE]
    return page(
        request,
        "admin_audit.html",
        query=query,
        form={name: query.values.get(name, "") for name in FIELDS},
        actions=list(Action),
        lines=shown,
        older=query.address("/admin/audit", before=shown[-1].id) if len(lines) > _PAGE else None,
        newest=query.address("/admin/audit") if before is not None else None,
        export=query.address("/admin/audit.csv"),
    )


@router.get("/admin/audit.csv")
def export(request: Request, gateway: GatewayDep, user: AdminUser) -> Response:
    """The same lines as a spreadsheet, up to a hundred thousand. Who took it is on record."""
    query = read_audit_query(request.query_params)
    gateway.transact(lambda c: audit.write(c, user.actor, Action.AUDIT_EXPORTED, "audit log", query=dict(query.values)))
    return csv_answer("paraphe-audit-log.csv", _rows(gateway, user, query.which))


def _rows(gateway: Resources, user: User, which: AuditFilter) -> Iterator[list[Any]]:
    yield ["at", "who", "action", "subject", "detail"]
    before: UUID | None = None
    for _ in range(_EXPORT_MOST // _EXPORT_PAGE):
        look = partial(audit.newest, client_id=user.client_id, which=which, before=before, limit=_EXPORT_PAGE)
        lines = gateway.transact(look)
        for line in lines:
            detail = "; ".join(f"{name}: {value}" for name, value in line.detail.items() if value)
            yield [line.at.isoformat(), line.who or "", line.action, line.subject, detail]
        if len(lines) < _EXPORT_PAGE:
            return
        before = lines[-1].id
