"""Recording a batch of events: once each, with the deliveries they call for."""

from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import Connection, Engine

from services.notifier.metrics import NotifierMetrics
from shared.db import deliveries, events
from shared.db.engine import transact
from shared.domain.events import Event


class Recorder:
    """Writes what the event queue announces. ``on_deliveries`` is called when there are new ones to send."""

    def __init__(self, engine: Engine, metrics: NotifierMetrics, on_deliveries: Callable[[], None]) -> None:
        self._engine = engine
        self._metrics = metrics
        self._on_deliveries = on_deliveries

    def record(self, event_ids: Sequence[UUID]) -> None:
        """Record those not recorded yet; ids without event are passed over. TemporaryError while Postgres is away."""
        recorded, pending = transact(self._engine, lambda connection: _record(connection, event_ids))
        for event in recorded:
            self._metrics.count_event(event)
        if pending:
            self._on_deliveries()


def _record(connection: Connection, event_ids: Sequence[UUID]) -> tuple[list[Event], int]:
    callbacks = deliveries.callbacks(connection, event_ids)
    recorded = events.record(connection, event_ids)
    fresh = {event.id for event in recorded}
    return recorded, deliveries.create(connection, [one for one in callbacks if one.event_id in fresh])
