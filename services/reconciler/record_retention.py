"""How long there is a record of deliveries, incidents and alerts."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Connection, Engine

from services.reconciler.metrics import ReconcilerMetrics
from shared.db import audit, expiry
from shared.db.audit import Action
from shared.db.engine import transact
from shared.settings import RetentionSettings

Remove = Callable[[Connection, datetime, int], expiry.Removed]

log = structlog.get_logger(__name__)

_BATCH = 500
# So that what grows old all day makes an audit line an hour, not one each time somebody looks.
_EVERY_S = 3600.0


@dataclass(slots=True)
class RecordRetention:
    """Removes what is over and old. Faults of the database pass through to the loop that calls it."""

    engine: Engine
    metrics: ReconcilerMetrics
    settings: RetentionSettings
    _next: float = field(default=0.0, init=False)

    def step(self) -> bool:
        """Remove what is due if it is time; says whether more is due at once."""
        if time.monotonic() < self._next:
            return False
        more = self._remove()
        if not more:
            self._next = time.monotonic() + _EVERY_S
        return more

    def _remove(self) -> bool:
        """A batch of each kind, in a transaction of its own with its audit lines; says whether more may be due."""
        more = False
        for kind, action, remove, days in (
            ("delivery", Action.DELIVERIES_ERASED, expiry.remove_deliveries, self.settings.delivery_days),
            ("incident", Action.INCIDENTS_ERASED, expiry.remove_incidents, self.settings.alert_days),
            ("alert", Action.ALERTS_ERASED, expiry.remove_alerts, self.settings.alert_days),
        ):
            if days and (number := transact(self.engine, partial(_batch, remove=remove, action=action, days=days))):
                self.metrics.records_expired.labels(kind).inc(number)
                log.info("retention", kind=kind, removed=number)
                more |= number == _BATCH
        return more


def _batch(connection: Connection, remove: Remove, action: Action, days: int) -> int:
    removed = remove(connection, datetime.now(UTC) - timedelta(days=days), _BATCH)
    for client_id, number in removed.items():
        audit.write_for_system(connection, client_id, action, f"{number}", because=f"older than {days} days")
    return sum(removed.values())
