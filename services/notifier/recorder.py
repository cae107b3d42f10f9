"""Recording a batch of events: once each, with the deliveries and the incidents that follow from them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, Engine

from services.notifier.incidents import IncidentDesk
from services.notifier.metrics import NotifierMetrics
from shared.db import deliveries, events
from shared.db.engine import transact
from shared.domain.events import Event


@dataclass(frozen=True, slots=True)
class _Recorded:
    events: list[Event]
    deliveries: int
    has_incidents: bool


class Recorder:
    """Writes what the event queue announces. ``on_deliveries`` is called when there are new ones to send."""

    def __init__(
        self, engine: Engine, metrics: NotifierMetrics, incidents: IncidentDesk, on_deliveries: Callable[[], None]
    ) -> None:
        self._engine = engine
        self._metrics = metrics
        self._incidents = incidents
        self._on_deliveries = on_deliveries

    def record(self, event_ids: Sequence[UUID]) -> None:
        """Record those not recorded yet; ids without event are passed over. TemporaryError while Postgres is away."""
        recorded = transact(self._engine, lambda connection: self._record(connection, event_ids))
        for event in recorded.events:
            self._metrics.count_event(event)
        if recorded.deliveries:
            self._on_deliveries()
        if recorded.has_incidents:
            self._incidents.announce()

    def _record(self, connection: Connection, event_ids: Sequence[UUID]) -> _Recorded:
        wanted = deliveries.wanted(connection, event_ids)
        recorded = events.record(connection, event_ids)
        fresh = {event.id for event in recorded}
        made = deliveries.create(connection, [one for one in wanted if one.event_id in fresh])
        return _Recorded(recorded, made, self._incidents.jobs_failed(connection, recorded))
