"""Composition: settings in, a ready ASGI application out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

import anyio.to_thread
import structlog
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline

from services.gateway import documentation, problems
from services.gateway.metrics import Metrics
from services.gateway.request_context import RequestContext
from services.gateway.resources import Resources
from services.gateway.routes import (
    alerts,
    consent,
    corrections,
    deliveries,
    events,
    health,
    jobs,
    keys,
    new_jobs,
    pages,
    predict,
    progress,
    review,
    subscriptions,
    uploads,
)
from services.gateway.settings import Settings
from services.gateway.web.app import ROUTERS as WEB_ROUTERS
from services.gateway.web.app import WebMount, create_web
from shared.domain.errors import TemporaryError

log = structlog.get_logger(__name__)

_ROUTERS = (
    new_jobs.router,
    jobs.router,
    consent.router,
    uploads.router,
    events.router,
    progress.router,
    pages.router,
    predict.router,
    keys.router,
    corrections.router,
    review.router,
    subscriptions.router,
    deliveries.router,
    alerts.router,
)


def create_app(settings: Settings) -> FastAPI:
    """The gateway. It starts also while its servers are away, and says so at /readyz."""
    metrics = Metrics()
    web = create_web(settings.web)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = settings.gateway.threads
        resources = Resources.open(settings, metrics)
        app.state.resources = web.state.resources = resources
        await anyio.to_thread.run_sync(_ensure_bucket, resources)
        resources.watch.start()
        yield
        await resources.watch.close()
        resources.close()

    # Its documentation page comes from us: a self-hosted system sends no browser to somebody else's server.
    app = FastAPIOffline(title="Paraphe", lifespan=lifespan, redirect_slashes=False, redoc_url=None)
    app.add_middleware(RequestContext, metrics=metrics)
    for router in (*_ROUTERS, health.router):
        app.include_router(router)
    app.state.api_routes = _routes_of(*_ROUTERS, health.router)
    app.state.metrics = metrics
    every = [*app.state.api_routes, *_routes_of(*WEB_ROUTERS)]
    metrics.begin_at_zero((route.path, method) for route in every for method in route.methods or ())
    app.router.routes.append(WebMount(web, [route.path for route in app.state.api_routes]))
    problems.install(app)
    documentation.install(app, version("paraphe"))
    return app


def _routes_of(*routers: APIRouter) -> list[APIRoute]:
    return [route for router in routers for route in router.routes if isinstance(route, APIRoute)]


def _ensure_bucket(resources: Resources) -> None:
    try:
        resources.objects.ensure_bucket()
    except TemporaryError as error:
        log.warning("the object store is away; the bucket must be there once it is back", error=error.detail)
