"""The repairs: jobs whose worker is gone, messages that were lost, uploads nobody used."""

from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import Connection, Engine

from services.reconciler.broker import held_messages
from services.reconciler.metrics import ReconcilerMetrics
from shared import dispatch
from shared.db import backlog, leases, outbox, uploads
from shared.db.engine import transact
from shared.db.outbox import Message, Topic
from shared.objects import ObjectStore
from shared.queue import DETECT_QUEUE, EVENT_QUEUE, Publisher
from shared.settings import JobSettings, RedisSettings

log = structlog.get_logger(__name__)

_QUEUES = {Topic.JOB: DETECT_QUEUE, Topic.EVENT: EVENT_QUEUE}
_BATCH = 500
_UPLOADS_A_TRANSACTION = 20


@dataclass(frozen=True, slots=True)
class Repairs:
    """Each repair does a batch and says whether more may be due. Faults of servers pass through to its loop."""

    engine: Engine
    publisher: Publisher
    store: ObjectStore
    metrics: ReconcilerMetrics
    jobs: JobSettings
    redis: RedisSettings

    def take_back_from_silent_workers(self) -> bool:
        """Queue again, or fail, the jobs whose lease ran out."""
        messages = transact(self.engine, partial(leases.expire, settings=self.jobs, limit=_BATCH))
        if messages:
            log.warning("leases ran out", jobs=len(messages))
            self.metrics.leases_expired.inc(len(messages))
            dispatch.send(self.publisher, messages)
        return len(messages) == _BATCH

    def send_again(self) -> bool:
        """Send what is scheduled and due, and what the broker must have lost; no topic waits for the other's end."""
        more = [self._send_due(topic, queue) for topic, queue in _QUEUES.items()]
        return any(more)

    def _send_due(self, topic: Topic, queue: str) -> bool:
        messages = self._take_due(topic, held_messages(self.redis, queue))
        if not messages:
            return False
        sent = dispatch.send(self.publisher, messages)
        self.metrics.count_sent(topic, sent)
        log.info("sent by the reconciler", topic=topic, messages=sent)
        return sent == len(messages) == _BATCH

    def _take_due(self, topic: Topic, held: int) -> list[Message]:
        def take(connection: Connection) -> list[Message]:
            # Resending a message that still waits would not harm (claims drop repeats) but multiply a long backlog.
            lost_at_most = max(outbox.outstanding(connection, topic) - held, 0)
            return outbox.take_due(
                connection,
                topic,
                lost_at_most=lost_at_most,
                resend_after_s=self.jobs.resend_after_s,
                limit=_BATCH,
            )

        return transact(self.engine, take)

    def remove_expired_uploads(self) -> bool:
        """Delete uploads past their time, as those that a job was made of are, too.

        Objects first: a row whose object could not be deleted stays for later.
        """
        with self.engine.begin() as connection:
            expired = uploads.take_expired(connection, limit=_UPLOADS_A_TRANSACTION)
            for upload in expired:
                self.store.delete(upload.object_name)
        self.metrics.uploads_removed.inc(len(expired))
        return len(expired) == _UPLOADS_A_TRANSACTION

    def measure(self) -> None:
        """Set the gauges."""

        def look(connection: Connection) -> tuple[backlog.Backlog, dict[Topic, int]]:
            return backlog.measure(connection), {topic: outbox.outstanding(connection, topic) for topic in Topic}

        self.metrics.show_backlog(*transact(self.engine, look))
