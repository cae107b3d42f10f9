"""What a notifier tells Prometheus. Counters start at zero with the process, as Prometheus expects."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from services.notifier.result_metrics import ResultMetrics
from shared.db.deliveries import PendingDeliveries
from shared.db.incidents import IncidentKind
from shared.domain.delivery import DeliveryState
from shared.domain.errors import ErrorCode
from shared.domain.events import Event, EventKind
from shared.domain.job import JobState
from shared.domain.subscription import Channel

_JOB_SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300, 900, 3600)
_SIGNATURES = (0, 1, 2, 3, 4, 6, 8, 12, 20, 50)
_WEBHOOK_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_OUTCOMES = {
    EventKind.JOB_SUCCEEDED: JobState.SUCCEEDED,
    EventKind.JOB_FAILED: JobState.FAILED,
    EventKind.JOB_CANCELED: JobState.CANCELED,
}
_CODES = frozenset(ErrorCode)
_OTHER_CODE = "other"


class NotifierMetrics:
    """One registry's worth of them."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._events = Counter("paraphe_events", "Events recorded, by kind.", ["kind"], registry=registry)
        self._jobs = Counter(
            "paraphe_jobs", "Jobs that ended, by state and code.", ["state", "code"], registry=registry
        )
        self._job_seconds = Histogram(
            "paraphe_job_seconds",
            "From acceptance to outcome.",
            ["state"],
            buckets=_JOB_SECONDS,
            registry=registry,
        )
        self._signatures = Histogram(
            "paraphe_signatures_found", "Signatures found a document.", buckets=_SIGNATURES, registry=registry
        )
        self._results = ResultMetrics(registry)
        self.messages_dropped = Counter(
            "paraphe_event_messages_dropped", "Messages on the event queue that are none of ours.", registry=registry
        )
        self._channels = {
            Channel.WEBHOOK: _ChannelMetrics("paraphe_webhook", "Webhook", _WEBHOOK_SECONDS, registry),
            Channel.EMAIL: _ChannelMetrics("paraphe_mail", "Mail", _WEBHOOK_SECONDS, registry),
        }
        self.alerts_received = Counter(
            "paraphe_alerts_received", "Alerts that Alertmanager told us of, by state.", ["state"], registry=registry
        )
        self.incidents_open = Gauge(
            "paraphe_incidents_open", "Jobs and deliveries given up and not made good.", ["kind"], registry=registry
        )
        self.alertmanagers_unreachable = Gauge(
            "paraphe_alertmanagers_unreachable", "Alertmanagers that could not be told last time.", registry=registry
        )
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """Show every series from the start: a rate over a series that appears with its first count misses that one."""
        for kind in EventKind:
            self._events.labels(kind)
        for state in (JobState.SUCCEEDED, JobState.CANCELED):
            self._jobs.labels(state, "")
        for state in _OUTCOMES.values():
            self._job_seconds.labels(state)
        for code in (*ErrorCode, _OTHER_CODE):
            self._jobs.labels(JobState.FAILED, code)
        for state_of_alert in ("firing", "resolved"):
            self.alerts_received.labels(state_of_alert)
        for incident in IncidentKind:
            self.incidents_open.labels(incident)

    def count_event(self, event: Event) -> None:
        """Count a recorded event, once its recording is committed."""
        self._events.labels(event.kind).inc()
        self._results.count(event)
        state = _OUTCOMES.get(event.kind)
        if state is None:
            return
        self._jobs.labels(state, _code_of(event) if state is JobState.FAILED else "").inc()
        if "seconds" in event.data:
            self._job_seconds.labels(state).observe(event.data["seconds"])
        if "count" in event.data:
            self._signatures.observe(event.data["count"])

    def count_attempt(self, channel: Channel, seconds: float, *, succeeded: bool) -> None:
        """One attempt, answered or not."""
        self._channels[channel].attempts.labels(str(succeeded).lower()).inc()
        self._channels[channel].attempt_seconds.observe(seconds)

    def count_delivery(self, channel: Channel, state: DeliveryState) -> None:
        """A delivery has ended."""
        self._channels[channel].deliveries.labels(state).inc()

    def show_deliveries(self, channel: Channel, waiting: PendingDeliveries, dead: int) -> None:
        """Set the gauges of one channel."""
        self._channels[channel].pending.set(waiting.number)
        self._channels[channel].overdue.set(waiting.overdue_s)
        self._channels[channel].dead.set(dead)


class _ChannelMetrics:
    """The same for each way of delivering."""

    def __init__(self, prefix: str, word: str, buckets: tuple[float, ...], registry: CollectorRegistry) -> None:
        self.attempts = Counter(f"{prefix}_attempts", f"{word} attempts, by success.", ["succeeded"], registry=registry)
        self.attempt_seconds = Histogram(
            f"{prefix}_attempt_seconds", "How long receivers took.", buckets=buckets, registry=registry
        )
        self.deliveries = Counter(
            f"{prefix}_deliveries", f"{word} deliveries that ended, by outcome.", ["state"], registry=registry
        )
        self.pending = Gauge(
            f"{prefix}_deliveries_pending", f"{word} deliveries not ended yet (of all replicas).", registry=registry
        )
        self.overdue = Gauge(
            f"{prefix}_overdue_seconds", "How long the most overdue delivery has been due.", registry=registry
        )
        self.dead = Gauge(
            f"{prefix}_deliveries_dead", f"{word} deliveries given up and not replayed.", registry=registry
        )
        for succeeded in ("true", "false"):
            self.attempts.labels(succeeded)
        for ended in (DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.DISABLED):
            self.deliveries.labels(ended)


def _code_of(event: Event) -> str:
    """Only codes we know become label values."""
    code = event.data.get("code")
    return str(code) if code in _CODES else _OTHER_CODE
