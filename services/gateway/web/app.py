"""The web application and how it lies beside the API under one address."""

from collections.abc import Iterable

from fastapi import APIRouter, FastAPI
from starlette.responses import Response
from starlette.routing import Match, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from services.gateway.web import errors
from services.gateway.web.rendering import STATIC, static_version
from services.gateway.web.routes import (
    about,
    account,
    administration,
    audit_log,
    history,
    job_page,
    key_page,
    login,
    people,
    review_page,
    statistics,
    submit,
)
from services.gateway.web.security_headers import SecurityHeaders
from services.gateway.web.settings import WebSettings

ROUTERS: tuple[APIRouter, ...] = (
    login.router,
    account.router,
    submit.router,
    history.router,
    statistics.router,
    administration.router,
    audit_log.router,
    people.router,
    key_page.router,
    about.router,
    job_page.router,
    review_page.router,
)
_FOR_EVER = "public, max-age=31536000, immutable"


class _StaticFiles(StaticFiles):
    """Files whose address changes with their content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        if answer.status_code in (200, 304):
            answer.headers["Cache-Control"] = _FOR_EVER
        return answer


class WebMount(Mount):
    """Takes what is a page of ours, and whatever a browser asks for that is nowhere; the API keeps its own answers."""

    def __init__(self, app: FastAPI, api_paths: Iterable[str]) -> None:
        super().__init__("", app)
        self._web = app
        self._api_paths = frozenset(api_paths)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """A page's address, or one for which a person should see a page that says it is none."""
        match, child_scope = super().matches(scope)
        is_page = any(route.matches(scope)[0] is not Match.NONE for route in self._web.routes)
        if match is Match.NONE or not (is_page or self._is_lost_person(scope)):
            return Match.NONE, {}
        return match, child_scope

    def _is_lost_person(self, scope: Scope) -> bool:
        path = scope["path"]
        if path.startswith("/v1/") or path in self._api_paths or scope.get("method") != "GET":
            return False
        return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])


def create_web(settings: WebSettings) -> FastAPI:
    """The pages. ``state.resources`` is to be set once the gateway has them."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.add_middleware(SecurityHeaders, behind_tls=settings.behind_tls)
    for router in ROUTERS:
        app.include_router(router)
    app.mount(f"/static/{static_version()}", _StaticFiles(directory=STATIC))
    # Of another version, too, while an update goes from gateway to gateway; but then nobody keeps them.
    app.mount("/static/{version}", StaticFiles(directory=STATIC))
    errors.install(app)
    return app
