"""Reconcilers as threads of the test, with quick settings, on real servers."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import redis
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, text

from services.reconciler.metrics import ReconcilerMetrics
from services.reconciler.service import run
from services.reconciler.settings import ReconcilerOptions, ReconcilerSettings
from shared.db.engine import lift_limits
from shared.db.locks import AdvisoryLock
from shared.queue import queue_lists
from shared.settings import JobSettings
from tests.integration.db.stories import Stories
from tests.servers import Servers

QUICK = JobSettings(lease_s=0.3, heartbeat_s=0.1, resend_after_s=0.5, max_attempts=2, retry_backoff_s=0.3)


@dataclass
class RunningReconciler:
    thread: threading.Thread
    stop_event: threading.Event
    registry: CollectorRegistry

    def stop(self) -> None:
        self.stop_event.set()
        self.thread.join(10)

    def value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0

    def last_tick(self, loop: str) -> float | None:
        """None while this reconciler shows none."""
        return self.registry.get_sample_value("paraphe_reconciler_last_tick_timestamp_seconds", {"loop": loop})

    @property
    def leads(self) -> bool:
        return self.value("paraphe_reconciler_leads") == 1.0


@pytest.fixture
def stories(engine: Engine) -> Stories:
    return Stories(engine, QUICK)


@pytest.fixture
def start() -> Iterator[Callable[..., RunningReconciler]]:
    """Start a reconciler; all are stopped after the test."""
    started: list[RunningReconciler] = []

    def start_one(sweep_every_s: float = 0.1) -> RunningReconciler:
        registry, stop = CollectorRegistry(), threading.Event()
        settings = ReconcilerSettings(options=ReconcilerOptions(every_s=0.1, sweep_every_s=sweep_every_s), jobs=QUICK)
        thread = threading.Thread(target=run, args=(settings, ReconcilerMetrics(registry), stop), daemon=True)
        thread.start()
        started.append(RunningReconciler(thread, stop, registry))
        return started[-1]

    yield start_one
    for one in started:
        one.stop()


@contextmanager
def another_leads(engine: Engine) -> Iterator[None]:
    """For so long. Whoever leads loses its session, and is behind us when it comes again."""
    take_over = text(
        "select pg_terminate_backend(pid), pg_advisory_lock(:lock) from pg_locks"
        " where locktype = 'advisory' and objid = :lock and granted"
    )
    with engine.begin() as connection:
        lift_limits(connection)
        connection.execute(take_over, {"lock": AdvisoryLock.RECONCILER})
        try:
            yield
        finally:
            connection.execute(text("select pg_advisory_unlock(:lock)"), {"lock": AdvisoryLock.RECONCILER})


@dataclass(frozen=True)
class Broker:
    """The broker as its operator sees it."""

    client: "redis.Redis"

    def held(self, queue: str) -> int:
        return sum(int(self.client.llen(name)) for name in queue_lists(queue))

    def wipe(self) -> None:
        self.client.flushall()


@pytest.fixture
def broker(servers: Servers) -> Broker:
    return Broker(redis.Redis.from_url(servers.environment["PARAPHE_REDIS_URL"]))
