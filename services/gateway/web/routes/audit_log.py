"""Who did what to whom: filtered, paged, exported."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.gateway.resources import GatewayDep
from services.gateway.web.audit_query import FIELDS, read_audit_query
from services.gateway.web.query import cursor
from services.gateway.web.rendering import page
from services.gateway.web.spreadsheets import Row, csv_answer, paged_rows
from services.gateway.web.users import AdminUser
from shared.db import audit
from shared.db.audit import Action, AuditLine

router = APIRouter()

_PAGE = 50
_COLUMNS = ("at", "who", "action", "subject", "detail")


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

    def read(before: UUID | None, limit: int) -> list[tuple[UUID, Row]]:
        look = partial(audit.newest, client_id=user.client_id, which=query.which, before=before, limit=limit)
        return [(line.id, _row(line)) for line in gateway.transact(look)]

    return csv_answer("paraphe-audit-log.csv", _COLUMNS, paged_rows(read))


def _row(line: AuditLine) -> Row:
    detail = "; ".join(f"{name}: {value}" for name, value in line.detail.items() if value)
    return [line.at.isoformat(), line.who or "", line.action, line.subject, detail]
