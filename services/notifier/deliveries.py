"""Sends what is due, many at once, and stores what came of it."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import Connection, Engine

from services.notifier.channels.answer import Answer, Sender
from services.notifier.incidents import IncidentDesk
from services.notifier.metrics import NotifierMetrics
from services.notifier.retries import Verdict, judge
from services.notifier.settings import WebhookSettings
from shared import tracing
from shared.db import delivering
from shared.db.delivering import Receiver
from shared.db.engine import transact
from shared.domain.delivery import Attempt, DeliveryState, DueDelivery, EventMessage
from shared.domain.subscription import Channel

log = structlog.get_logger(__name__)

_LOOK_EVERY_S = 0.25
# An attempt's own time-out does not cover resolving the name and storing the outcome.
_LEASE_MARGIN_S = 50.0
_STORE_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Route:
    """One channel with who sends on it: ``threads`` attempts at once, ``per_receiver`` of them to one receiver."""

    channel: Channel
    sender: Sender
    threads: int
    per_receiver: int
    timeout_s: float


class Courier:
    """Takes one channel's due deliveries from the database and sends them in a pool of threads.

    One receiver gets only a few of the threads, so that a slow one holds up nobody else. Both channels are retried by
    the waits of ``schedule``.
    """

    def __init__(
        self,
        engine: Engine,
        route: Route,
        schedule: WebhookSettings,
        metrics: NotifierMetrics,
        incidents: IncidentDesk,
    ) -> None:
        self._engine = engine
        self._route = route
        self._schedule = schedule
        self._metrics = metrics
        self._incidents = incidents
        self._pool = ThreadPoolExecutor(route.threads, thread_name_prefix=route.channel)
        self._guard = threading.Lock()
        self._busy: Counter[Receiver] = Counter()
        self._look = threading.Event()

    @property
    def name(self) -> str:
        """What its loop is called."""
        return f"{self._route.channel}s"

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

    def _take_due(self) -> list[DueDelivery]:
        with self._guard:
            busy = dict(self._busy)
        free = self._route.threads - sum(busy.values())
        if free <= 0:
            return []
        take = partial(
            delivering.take_due,
            channel=self._route.channel,
            limit=free,
            per_receiver=self._route.per_receiver,
            busy=busy,
            lease_s=self._route.timeout_s + _LEASE_MARGIN_S,
        )
        return transact(self._engine, take)

    def _deliver(self, due: DueDelivery) -> None:
        try:
            with _span(due):
                answer = self._route.sender.send(due)
            verdict = judge(answer, due.attempt, self._schedule)
            has_ended = self._store(due, answer, verdict)
            self._count(answer, verdict, has_ended=has_ended)
        except Exception as error:  # in a pool's thread nobody else would hear of it
            log.exception("attempt not stored, it will be repeated", delivery=str(due.id), error=str(error))
        finally:
            self._count_busy(due, -1)
            self.look_now()

    def _store(self, due: DueDelivery, answer: Answer, verdict: Verdict) -> bool:
        """Whether this attempt ended the delivery: somebody may have ended it meanwhile."""
        succeeded, has_failed = verdict.state is DeliveryState.DELIVERED, verdict.state is DeliveryState.FAILED
        attempt = Attempt(answer.at, answer.status, answer.error, answer.milliseconds, succeeded)

        def write(connection: Connection) -> bool:
            if verdict.state is DeliveryState.PENDING:
                delivering.retry(connection, due, attempt, wait_s=verdict.wait_s)
                return False
            has_ended = delivering.finish(connection, due, attempt, verdict.state)
            if has_ended and has_failed:
                self._incidents.delivery_died(connection, due, answer)
            return has_ended

        has_ended = transact(self._engine, write, patience_s=_STORE_PATIENCE_S)
        if has_ended and has_failed:
            self._incidents.announce()
        log.info(
            "delivery attempt",
            channel=due.channel,
            delivery=str(due.id),
            job_id=str(due.message.job_id) if isinstance(due.message, EventMessage) else None,
            receiver=due.receiver,
            attempt=due.attempt,
            status=answer.status,
            error=answer.error,
            state=verdict.state,
            milliseconds=round(answer.milliseconds, 1),
        )
        return has_ended

    def _count(self, answer: Answer, verdict: Verdict, *, has_ended: bool) -> None:
        channel, succeeded = self._route.channel, verdict.state is DeliveryState.DELIVERED
        self._metrics.count_attempt(channel, answer.milliseconds / 1000, succeeded=succeeded)
        if has_ended:
            self._metrics.count_delivery(channel, verdict.state)

    def _count_busy(self, due: DueDelivery, change: int) -> None:
        receiver = (due.client_id, due.receiver)
        with self._guard:
            self._busy[receiver] += change
            if not self._busy[receiver]:
                del self._busy[receiver]


def _span(due: DueDelivery) -> AbstractContextManager[object]:
    """Notices belong to no job, so to no trace."""
    if not isinstance(due.message, EventMessage):
        return nullcontext()
    return tracing.job_span(
        f"deliver by {due.channel}", due.message.job_id, attempt=due.attempt, event=due.message.kind
    )
