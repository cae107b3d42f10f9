"""Names and shapes of everything that travels over Redis. Messages carry ids only; the rows hold the truth."""

from typing import Any
from uuid import UUID

from celery import Celery
from kombu import Connection, Exchange, Queue
from kombu.exceptions import LimitExceeded, OperationalError
from kombu.pools import producers
from redis.exceptions import RedisError

from shared import redis_address, redis_transport
from shared.domain.job import Priority
from shared.settings import RedisSettings

DETECT_QUEUE = "detect"
EVENT_QUEUE = "events"
EXAMINE_TASK = "detector.examine"

# Celery's priorities on Redis are separate lists; 0 is taken first.
PRIORITY_STEPS = {Priority.INTERACTIVE: 0, Priority.NORMAL: 3, Priority.BULK: 6}
_PRIORITY_SEPARATOR = "\x06\x16"

# Redelivery by the broker is not how we recover (leases and the reconciler do), so its time-out is set out of the way.
_VISIBILITY_TIMEOUT_S = 6 * 3600

# LimitExceeded: every connection is waiting for a broker that does not answer.
PUBLISH_FAULTS = (OperationalError, LimitExceeded, RedisError, OSError)


def _transport(settings: RedisSettings) -> str:
    return redis_transport.SENTINEL_NAME if settings.sentinels else redis_transport.NAME


def _transport_options(settings: RedisSettings) -> dict[str, Any]:
    asked = redis_address.sentinels(settings)
    return {
        **({"sentinels": asked} if asked else {}),
        "visibility_timeout": _VISIBILITY_TIMEOUT_S,
        "queue_order_strategy": "priority",
        "priority_steps": sorted(PRIORITY_STEPS.values()),
        "sep": _PRIORITY_SEPARATOR,
        "socket_timeout": settings.timeout_s,
        "socket_connect_timeout": settings.timeout_s,
        "socket_keepalive": True,
        "retry_on_timeout": False,
        "health_check_interval": 15,
    }


def make_celery(settings: RedisSettings) -> Celery:
    """The Celery application shared by who sends examinations and who carries them out."""
    app = Celery("paraphe", broker=settings.url.get_secret_value())
    app.conf.update(
        broker_transport=_transport(settings),
        broker_use_ssl=redis_address.tls_options(settings) or False,
        broker_transport_options=_transport_options(settings),
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        task_default_queue=DETECT_QUEUE,
        task_queues=[Queue(DETECT_QUEUE, routing_key=DETECT_QUEUE)],
        task_default_priority=PRIORITY_STEPS[Priority.NORMAL],
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=False,
        worker_prefetch_multiplier=1,
        task_serializer="json",
        accept_content=["json"],
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
    )
    return app


class Publisher:
    """Sends job and event messages. Fails fast: the outbox keeps what could not be sent."""

    def __init__(self, settings: RedisSettings) -> None:
        # Without it kombu tries to connect for six seconds, whatever "retry=False" says: each request that accepts a
        # job would wait that long for a broker that is away.
        options = {**_transport_options(settings), "max_retries": 0}
        self._celery = make_celery(settings)
        self._producers = producers[_connection(settings, options)]

    def publish_job(self, job_id: UUID, priority: Priority) -> None:
        """Put an examination on the detect queue."""
        with self._producer() as producer:
            self._celery.send_task(
                EXAMINE_TASK,
                args=[str(job_id)],
                queue=DETECT_QUEUE,
                priority=PRIORITY_STEPS[priority],
                retry=False,
                producer=producer,
            )

    def publish_event(self, event_id: UUID) -> None:
        """Put an event's id on the event queue."""
        with self._producer() as producer:
            # The anonymous exchange needs no binding in Redis, so a wiped Redis takes messages again at once.
            producer.publish({"event_id": str(event_id)}, exchange="", routing_key=EVENT_QUEUE, retry=False)

    def _producer(self) -> Any:
        """For jobs too: who waits in Celery's own pool waits without limit, whatever its settings say."""
        return self._producers.acquire(block=True, timeout=2)


def broker_connection(settings: RedisSettings) -> Connection:
    """A kombu connection for consumers."""
    return _connection(settings, _transport_options(settings))


def _connection(settings: RedisSettings, options: dict[str, Any]) -> Connection:
    return Connection(
        settings.url.get_secret_value(),
        transport=_transport(settings),
        ssl=redis_address.tls_options(settings) or False,
        transport_options=options,
    )


def event_queue() -> Queue:
    """The queue the notifier consumes."""
    return Queue(EVENT_QUEUE, Exchange(""), routing_key=EVENT_QUEUE)


def queue_lists(queue: str) -> list[str]:
    """The Redis lists a queue is kept in, one a priority (highest first)."""
    steps = sorted(PRIORITY_STEPS.values())
    return [queue if step == 0 else f"{queue}{_PRIORITY_SEPARATOR}{step}" for step in steps]
