"""Starts one reconciler: ``python -m services.reconciler``. SIGTERM and SIGINT stop it at once."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from services.reconciler.leadership import Leadership
from services.reconciler.metrics import ReconcilerMetrics
from services.reconciler.model_watch import ModelWatch
from services.reconciler.orphans import OrphanSweep
from services.reconciler.record_retention import RecordRetention
from services.reconciler.repairs import Repairs
from services.reconciler.retention import Retention
from services.reconciler.settings import ReconcilerSettings
from shared.db import upkeep
from shared.db.engine import make_engine, transact
from shared.loops import EnduringLoop, run_until
from shared.objects import ObjectStore
from shared.queue import Publisher
from shared.service import run_service

# Backups are made by the day, and Postgres looks at every file to tell its size.
_UPKEEP_S = 30.0


def main() -> None:
    """Run until told to stop."""
    settings = ReconcilerSettings()
    run_service("reconciler", settings.log, settings.options, lambda stop: run(settings, ReconcilerMetrics(), stop))


def run(settings: ReconcilerSettings, metrics: ReconcilerMetrics, stop: threading.Event) -> None:
    """Repair until ``stop`` is set."""
    engine = make_engine(settings.postgres)
    leadership = Leadership(engine)
    publisher, store = Publisher(settings.redis), ObjectStore(settings.objects)
    repairs = Repairs(engine, publisher, store, metrics, settings.jobs, settings.redis)
    retention = Retention(engine, publisher, store, metrics, settings.jobs, settings.retention)
    records = RecordRetention(engine, metrics, settings.retention)
    orphans = OrphanSweep(engine, store, metrics, timedelta(days=settings.options.orphan_days))
    models = ModelWatch(engine, metrics)
    led = partial(_led_loop, stop, leadership, metrics)
    often, seldom = settings.options.every_s, settings.options.sweep_every_s
    # A loop each, so that one server's outage holds up only what needs that server.
    run_until(
        stop,
        [
            led("leases", repairs.take_back_from_silent_workers, often),
            led("messages", repairs.send_again, often),
            led("uploads", repairs.remove_expired_uploads, seldom),
            led("retention", retention.erase_expired, seldom),
            led("records", records.step, seldom),
            led("orphans", orphans.step, seldom, orphans.begin_anew),
            led("models", models.sum_up, seldom),
            EnduringLoop("gauges", repairs.measure, period_s=often),
            EnduringLoop("model gauges", models.measure, period_s=seldom),
            EnduringLoop(
                "upkeep gauges", lambda: metrics.show_upkeep(transact(engine, upkeep.look)), period_s=_UPKEEP_S
            ),
        ],
    )
    leadership.release()
    engine.dispose()


def _led_loop(
    stop: threading.Event,
    leadership: Leadership,
    metrics: ReconcilerMetrics,
    name: str,
    repair: Callable[[], bool | None],
    period_s: float,
    forget: Callable[[], None] = lambda: None,
) -> EnduringLoop:
    """Of several reconcilers only the one that leads carries out ``repair``, and only that one ticks.

    ``repair`` does a batch and may say that more is due: it goes on at once, and ticks, for it does not stand still.
    ``forget`` is called while another leads: what this one knew grows old.
    """

    def step() -> None:
        more: bool | None = True
        while more and not stop.is_set():
            metrics.leads.set(0)
            if not leadership.is_held():
                metrics.stop_ticking(name)
                forget()
                return
            metrics.leads.set(1)
            metrics.begin_ticking(name)
            more = repair()
            metrics.tick(name)

    return EnduringLoop(name, step, period_s=period_s)
