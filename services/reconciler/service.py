"""Starts one reconciler: ``python -m services.reconciler``. SIGTERM and SIGINT stop it at once."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from sqlalchemy import Engine

from services.reconciler.leadership import Leadership
from services.reconciler.metrics import ReconcilerMetrics
from services.reconciler.model_watch import ModelWatch
from services.reconciler.orphans import OrphanSweep
from services.reconciler.record_retention import RecordRetention
from services.reconciler.repairs import Repairs
from services.reconciler.retention import Retention
from services.reconciler.settings import ReconcilerOptions, ReconcilerSettings
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
    models = ModelWatch(engine, metrics)
    orphans = OrphanSweep(engine, store, metrics, timedelta(days=settings.options.orphan_days))
    records = RecordRetention(engine, metrics, settings.retention)
    loops = _loops(repairs, retention, records, orphans, models, leadership, metrics, settings.options)
    run_until(stop, [*loops, EnduringLoop("upkeep gauges", partial(_show_upkeep, engine, metrics), period_s=_UPKEEP_S)])
    leadership.release()
    engine.dispose()


def _show_upkeep(engine: Engine, metrics: ReconcilerMetrics) -> None:
    metrics.show_upkeep(transact(engine, upkeep.look))


def _loops(
    repairs: Repairs,
    retention: Retention,
    records: RecordRetention,
    orphans: OrphanSweep,
    models: ModelWatch,
    leadership: Leadership,
    metrics: ReconcilerMetrics,
    options: ReconcilerOptions,
) -> list[EnduringLoop]:
    """A loop each, so that one server's outage holds up only what needs that server."""

    def leading(name: str, repair: Callable[[], None], period_s: float) -> EnduringLoop:
        def step() -> None:
            metrics.leads.set(0)
            if leadership.is_held():
                metrics.leads.set(1)
                repair()
            metrics.tick(name)

        return EnduringLoop(name, step, period_s=period_s)

    return [
        leading("leases", repairs.take_back_from_silent_workers, options.every_s),
        leading("messages", repairs.send_again, options.every_s),
        leading("uploads", repairs.remove_expired_uploads, options.sweep_every_s),
        leading("retention", retention.erase_expired, options.sweep_every_s),
        leading("records", records.step, options.sweep_every_s),
        leading("orphans", orphans.step, options.sweep_every_s),
        leading("models", models.sum_up, options.sweep_every_s),
        EnduringLoop("gauges", repairs.measure, period_s=options.every_s),
        EnduringLoop("model gauges", models.measure, period_s=options.sweep_every_s),
    ]
