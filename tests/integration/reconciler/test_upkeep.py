"""What keepers are shown of the database: its size, and how old its newest backup is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, insert

from services.reconciler.metrics import ReconcilerMetrics
from shared.db import upkeep
from shared.db.engine import transact
from shared.db.tables import backups
from shared.domain.ids import new_id
from tests.integration.db.stories import wait_for
from tests.integration.reconciler.conftest import RunningReconciler

NOW = datetime.now(UTC).replace(microsecond=0)


def backed_up(engine: Engine, *ages: timedelta) -> None:
    rows = [{"id": new_id(), "made_at": NOW - age, "jobs": 1, "objects": 1, "bytes": 1} for age in ages]
    with engine.begin() as connection:
        connection.execute(insert(backups), rows)


def shown(engine: Engine) -> float | None:
    registry = CollectorRegistry()
    ReconcilerMetrics(registry).show_upkeep(transact(engine, upkeep.look))
    return registry.get_sample_value("paraphe_last_backup_timestamp_seconds")


def test_the_newest_backup_counts_and_none_is_zero(engine: Engine) -> None:
    assert shown(engine) == 0
    backed_up(engine, timedelta(hours=2), timedelta(days=3))
    assert shown(engine) == (NOW - timedelta(hours=2)).timestamp()


def test_a_reconciler_shows_it(engine: Engine, start: Callable[[], RunningReconciler]) -> None:
    backed_up(engine, timedelta(hours=5))
    one = start()
    wait_for(lambda: one.value("paraphe_last_backup_timestamp_seconds") == (NOW - timedelta(hours=5)).timestamp())
    assert wait_for(lambda: one.value("paraphe_database_bytes")) > 1_000_000
