"""Watches what models find: sums up each hour once, and compares the newest with the weeks before."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Connection, Engine

from services.reconciler.metrics import ReconcilerMetrics
from shared.db import model_hours
from shared.db.engine import transact
from shared.db.model_hours import ModelSum
from shared.domain.drift import CONFIDENCE_BINS, Standing, changed_share, stability_index

log = structlog.get_logger(__name__)

# Confidences come by the thousand, so a day says enough; corrections are few, and people do not work at weekends.
_DAY, _WEEK, _WEEKS_BEFORE = timedelta(days=1), timedelta(days=7), timedelta(days=28)
# At first there is a month to sum up: by and by, or the loop would look as if it stood still.
_HOURS_A_STEP = 24
_NOTHING = ModelSum(0, 0, (0,) * CONFIDENCE_BINS)


@dataclass(frozen=True, slots=True)
class ModelWatch:
    """Each method does its work once. Faults of servers pass through to the loop that calls it."""

    engine: Engine
    metrics: ReconcilerMetrics

    def sum_up(self) -> None:
        """Sum up hours that are over, oldest first, a transaction each."""
        for _ in range(_HOURS_A_STEP):
            hour = transact(self.engine, partial(model_hours.sum_up_next, now=datetime.now(UTC)))
            if hour is None:
                return
            log.info("results of an hour summed up", hour=hour.isoformat())

    def measure(self) -> None:
        """Set the gauges."""
        self.metrics.show_models(transact(self.engine, partial(standings, now=datetime.now(UTC))))


def standings(connection: Connection, now: datetime) -> Mapping[tuple[str, str], Standing]:
    """Every model version that had results in the last day or was corrected in the last week, by (model, version)."""
    day = model_hours.between(connection, now - _DAY, now)
    before_day = model_hours.between(connection, now - _DAY - _WEEKS_BEFORE, now - _DAY)
    week = model_hours.between(connection, now - _WEEK, now)
    before_week = model_hours.between(connection, now - _WEEK - _WEEKS_BEFORE, now - _WEEK)
    return {
        key: Standing(
            stability_index(
                day.get(key, _NOTHING).confidences,
                before_day.get(key, _NOTHING).confidences,
            ),
            _changed(week[key]),
            _changed(before_week.get(key, _NOTHING)),
        )
        for key in week
    }


def _changed(found: ModelSum) -> float | None:
    return changed_share(found.changed_pages, found.pages)
