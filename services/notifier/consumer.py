"""Takes event messages off their queue, a small batch at a time."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from uuid import UUID

import structlog
from kombu import Connection, Consumer, Message

from services.notifier.settings import NotifierOptions
from shared.queue import PUBLISH_FAULTS, broker_connection, event_queue
from shared.settings import RedisSettings

log = structlog.get_logger(__name__)

_IDLE_S = 0.25
# What kombu raises for an entry of its list that no kombu wrote. It has taken it off the list by then.
_NO_ENVELOPE = (ValueError, LookupError, TypeError)


class EventConsumer:
    """Hands batches of event ids to ``record``.

    Messages are not acknowledged: Redis would hold back a dead consumer's for hours, while the outbox sends again
    within seconds whatever was not recorded. What comes twice is recorded once.
    """

    def __init__(
        self,
        redis: RedisSettings,
        options: NotifierOptions,
        record: Callable[[Sequence[UUID]], None],
        on_dropped: Callable[[], None],
    ) -> None:
        self._redis = redis
        self._options = options
        self._record = record
        self._on_dropped = on_dropped
        self._connection: Connection | None = None
        self._held: list[UUID] = []

    def step(self) -> None:
        """Take and record one batch, or return empty-handed after a moment. Faults of servers pass through.

        A batch that could not be recorded is kept for the next step.
        """
        if not self._held:
            self._take_batch()
        if self._held:
            self._record(self._held)
            self._held = []

    def close(self) -> None:
        """Disconnect."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*PUBLISH_FAULTS):
                connection.release()

    def _take_batch(self) -> None:
        try:
            connection = self._connection or self._connect()
            self._drain(connection)
        except Exception as error:
            if isinstance(error, _NO_ENVELOPE):
                log.warning("not a message, dropped")
                self._on_dropped()
            self.close()
            raise

    def _connect(self) -> Connection:
        self._connection = broker_connection(self._redis)
        consumer = Consumer(self._connection.channel(), [event_queue()], no_ack=True, on_message=self._take)
        consumer.consume()
        log.info("taking events")
        return self._connection

    def _drain(self, connection: Connection) -> None:
        """Wait a moment for a first message, then for more until the batch is full or its time is over."""
        with suppress(TimeoutError):
            connection.drain_events(timeout=_IDLE_S)
            deadline = time.monotonic() + self._options.batch_wait_ms / 1000
            while len(self._held) < self._options.batch_size and (left := deadline - time.monotonic()) > 0:
                connection.drain_events(timeout=left)

    def _take(self, message: Message) -> None:
        event_id = _event_id(message)
        if event_id is None:
            log.warning("not an event message, dropped", content_type=message.content_type)
            self._on_dropped()
        else:
            self._held.append(event_id)


def _event_id(message: Message) -> UUID | None:
    """The id in ``{"event_id": "<uuid>"}``; None for anything else."""
    try:
        return UUID(message.payload["event_id"])
    except Exception:  # whatever a decoder may raise on bytes that are not ours
        return None
