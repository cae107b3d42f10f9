"""What this is, and how to work with it. For everyone."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.gateway.resources import GatewayDep
from services.gateway.web.rendering import page
from services.gateway.web.users import CurrentVisit

router = APIRouter()


@router.get("/about")
def about(request: Request, gateway: GatewayDep, _: CurrentVisit) -> Response:
    """Name, version, licences."""
    return page(request, "about.html", retention_days=gateway.settings.retention.days)


@router.get("/help")
def show_help(request: Request, gateway: GatewayDep, _: CurrentVisit) -> Response:
    """How to do the usual things, with the keys."""
    return page(request, "help.html", limits=gateway.settings.limits)
