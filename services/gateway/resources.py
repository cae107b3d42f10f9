"""What the routes work with: made once at start-up, closed at the end, reached through the request."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from anyio import CapacityLimiter
from fastapi import Depends, Request
from sqlalchemy import Connection, Engine

from services.gateway.backlog import Backlog
from services.gateway.key_ring import KeyRing
from services.gateway.known_models import KnownModels
from services.gateway.metrics import Metrics
from services.gateway.page_cache import PageCache
from services.gateway.rate_limit import RateLimiter
from services.gateway.settings import Settings
from services.gateway.waiting import JobWatch
from shared.db.engine import make_engine, transact
from shared.objects import ObjectStore
from shared.pages.renderer import Renderer
from shared.queue import Publisher

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Resources:
    """Connections and small states the routes share."""

    settings: Settings
    engine: Engine
    objects: ObjectStore
    publisher: Publisher
    rate_limiter: RateLimiter
    key_ring: KeyRing
    backlog: Backlog
    models: KnownModels
    watch: JobWatch
    renderer: Renderer
    drawing: CapacityLimiter
    pages: PageCache
    metrics: Metrics

    @classmethod
    def open(cls, settings: Settings, metrics: Metrics) -> "Resources":
        """Build everything. No server is contacted yet: the gateway also starts while one of them is away."""
        pages = PageCache(settings.gateway.page_cache_bytes)
        watch = JobWatch(settings.postgres, settings.gateway.reread_s, on_change=pages.forget, on_gap=pages.forget_all)
        return cls(
            settings=settings,
            engine=make_engine(settings.postgres),
            objects=ObjectStore(settings.objects),
            publisher=Publisher(settings.redis),
            rate_limiter=RateLimiter(settings.redis),
            key_ring=KeyRing(settings.gateway.key_cache_s),
            backlog=Backlog(settings.gateway.backlog_limit),
            models=KnownModels(settings.models),
            watch=watch,
            renderer=Renderer(settings.gateway.render_processes),
            drawing=CapacityLimiter(settings.gateway.render_processes + 1),
            pages=pages,
            metrics=metrics,
        )

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in one transaction, riding out a short absence of the database; blocks its thread."""
        return transact(self.engine, work, patience_s=self.settings.gateway.database_patience_s)

    def close(self) -> None:
        """Let go of everything."""
        self.renderer.close()
        self.pages.close()
        self.engine.dispose()


async def _of_request(request: Request) -> Resources:
    resources: Resources = request.app.state.resources
    return resources


GatewayDep = Annotated[Resources, Depends(_of_request)]
