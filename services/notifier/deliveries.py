"""Sends what is due, many at once, and stores what came of it."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import structlog
from sqlalchemy import Connection, Engine

from services.notifier.channels.webhook import Answer, WebhookChannel
from services.notifier.metrics import NotifierMetrics
from services.notifier.retries import Verdict, judge
from services.notifier.settings import WebhookSettings
from shared.db import deliveries
from shared.db.deliveries import Receiver
from shared.db.engine import transact
from shared.domain.delivery import Attempt, DeliveryState, DueDelivery

log = structlog.get_logger(__name__)

_LOOK_EVERY_S = 0.25
# An attempt's own time-out does not cover resolving the name and storing the outcome.
_LEASE_MARGIN_S = 50.0
_STORE_PATIENCE_S = 5.0


class Courier:
    """Takes due deliveries from the database and sends them in a pool of threads.

    One receiver gets only a few of the threads, so that a slow one holds up nobody else.
    """

    def __init__(
        self, engine: Engine, channel: WebhookChannel, settings: WebhookSettings, metrics: NotifierMetrics
    ) -> None:
        self._engine = engine
        self._channel = channel
        self._settings = settings
        self._metrics = metrics
        self._pool = ThreadPoolExecutor(settings.threads, thread_name_prefix="webhook")
        self._guard = threading.Lock()
        self._busy: Counter[Receiver] = Counter()
        self._look = threading.Event()

    def look_now(self) -> None:
        """There is something new to send."""
        self._look.set()

    def step(self) -> None:
        """Send what is due, once something calls for it or a moment has passed."""
        self._look.wait(_LOOK_EVERY_S)
        self._look.clear()
        for due in self._take_due():
            self._count_busy(due, 1)
            self._pool.submit(self._deliver, due)

    def close(self) -> None:
        """Let attempts under way end (each is over within its time-out); those not begun come up again later."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def measure(self) -> None:
        """Set the gauges."""
        waiting = transact(self._engine, deliveries.pending)
        self._metrics.webhooks_pending.set(waiting.number)
        self._metrics.webhooks_overdue.set(waiting.overdue_s)

    def _take_due(self) -> list[DueDelivery]:
        with self._guard:
            busy = dict(self._busy)
        free = self._settings.threads - sum(busy.values())
        if free <= 0:
            return []
        take = partial(
            deliveries.take_due,
            limit=free,
            per_receiver=self._settings.per_receiver,
            busy=busy,
            lease_s=self._settings.timeout_s + _LEASE_MARGIN_S,
        )
        return transact(self._engine, take)

    def _deliver(self, due: DueDelivery) -> None:
        try:
            answer = self._channel.send(due)
            verdict = judge(answer, due.attempt, self._settings)
            self._store(due, answer, verdict)
            self._count(answer, verdict)
        except Exception as error:  # in a pool's thread nobody else would hear of it
            log.exception("webhook attempt not stored, it will be repeated", delivery=str(due.id), error=str(error))
        finally:
            self._count_busy(due, -1)
            self.look_now()

    def _store(self, due: DueDelivery, answer: Answer, verdict: Verdict) -> None:
        succeeded = verdict.state is DeliveryState.DELIVERED
        attempt = Attempt(answer.at, answer.status, answer.error, answer.milliseconds, succeeded)

        def write(connection: Connection) -> None:
            if verdict.state is DeliveryState.PENDING:
                deliveries.retry(connection, due, attempt, wait_s=verdict.wait_s)
            else:
                deliveries.finish(connection, due, attempt, verdict.state)

        transact(self._engine, write, patience_s=_STORE_PATIENCE_S)
        log.info(
            "webhook attempt",
            job_id=str(due.job_id),
            receiver=due.receiver,
            attempt=due.attempt,
            status=answer.status,
            error=answer.error,
            state=verdict.state,
            milliseconds=round(answer.milliseconds, 1),
        )

    def _count(self, answer: Answer, verdict: Verdict) -> None:
        self._metrics.count_attempt(answer.milliseconds / 1000, succeeded=verdict.state is DeliveryState.DELIVERED)
        if verdict.state is not DeliveryState.PENDING:
            self._metrics.count_delivery(verdict.state)

    def _count_busy(self, due: DueDelivery, change: int) -> None:
        receiver = (due.client_id, due.receiver)
        with self._guard:
            self._busy[receiver] += change
            if not self._busy[receiver]:
                del self._busy[receiver]
