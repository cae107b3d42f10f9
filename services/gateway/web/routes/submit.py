"""The first page: documents in. The files themselves go to the API."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.gateway.resources import GatewayDep
from services.gateway.routes.progress import MOST_JOBS
from services.gateway.web.rendering import page, redirect
from services.gateway.web.users import CurrentUser
from shared.db.keys import Scope

router = APIRouter()


@router.get("/")
def show(request: Request, gateway: GatewayDep, user: CurrentUser) -> Response:
    """Where to drop documents. Who may not submit starts with the history."""
    if not user.may(Scope.SUBMIT):
        return redirect(request, "/history")
    return page(
        request,
        "submit.html",
        limits=gateway.settings.limits,
        files_at_once=gateway.settings.web.files_at_once,
        retention_days=gateway.settings.retention.days,
        most_followed=MOST_JOBS,
    )
