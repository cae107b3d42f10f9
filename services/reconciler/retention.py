"""Retention: what is older than its time deletes itself, document, pages, findings; a line that it was done stays."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import Connection, Engine, select

from services.reconciler.metrics import ReconcilerMetrics
from shared import dispatch
from shared.db import jobs
from shared.db.audit import Actor
from shared.db.engine import transact
from shared.db.outbox import Message
from shared.db.tables import jobs as job_rows
from shared.domain.errors import NotFoundError
from shared.domain.ids import first_id_at
from shared.domain.job import JobState
from shared.objects import ObjectStore
from shared.queue import Publisher
from shared.settings import JobSettings, RetentionSettings

log = structlog.get_logger(__name__)

_BATCH = 100
_FINAL = [state for state in JobState if state.is_final]


@dataclass(frozen=True, slots=True)
class Retention:
    """Erases jobs whose time is over. Faults of servers pass through to the loop that calls it."""

    engine: Engine
    publisher: Publisher
    store: ObjectStore
    metrics: ReconcilerMetrics
    jobs: JobSettings
    settings: RetentionSettings

    def erase_expired(self) -> bool:
        """Erase a batch of what is due, and say whether more may be.

        A job a transaction: a store that goes away in the middle undoes one job only.
        """
        due = transact(self.engine, self._due) if self.settings.days else []
        for job_id, client_id in due:
            self._erase(job_id, client_id)
        if due:
            self.metrics.jobs_expired.inc(len(due))
            log.info("retention", erased=len(due))
        return len(due) == _BATCH

    def _due(self, connection: Connection) -> list[tuple[UUID, UUID]]:
        end = datetime.now(UTC) - timedelta(days=self.settings.days)
        rows = connection.execute(
            # Ids sort by time: the oldest are found without an index of their own.
            select(job_rows.c.id, job_rows.c.client_id)
            .where(job_rows.c.id < first_id_at(end), job_rows.c.state.in_(_FINAL))
            .order_by(job_rows.c.id)
            .limit(_BATCH)
        )
        return [(row.id, row.client_id) for row in rows]

    def _erase(self, job_id: UUID, client_id: UUID) -> None:
        def work(connection: Connection) -> list[Message]:
            try:
                document, messages = jobs.erase(
                    connection, Actor(client_id), job_id, self.jobs, because=f"older than {self.settings.days} days"
                )
            except NotFoundError:
                return []  # somebody erased it a moment ago
            self.store.delete(document.object_name)
            return messages

        dispatch.send(self.publisher, transact(self.engine, work))
