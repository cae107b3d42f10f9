"""What a reconciler tells Prometheus. Gauges are measured by every replica: take their maximum, not their sum."""

from collections.abc import Mapping

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge

from shared.db.backlog import Backlog
from shared.db.outbox import Topic
from shared.db.upkeep import Upkeep
from shared.domain.drift import Standing
from shared.domain.job import JobState


class ReconcilerMetrics:
    """One registry's worth of them."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._jobs = Gauge("paraphe_jobs", "Jobs without outcome yet, by state.", ["state"], registry=registry)
        self._oldest = Gauge(
            "paraphe_oldest_queued_job_seconds", "Age of the job that has been queued longest.", registry=registry
        )
        self._outstanding = Gauge(
            "paraphe_outbox_outstanding", "Messages whose effect has not been seen.", ["topic"], registry=registry
        )
        self.leads = Gauge("paraphe_reconciler_leads", "1 for the replica that acts.", registry=registry)
        self.leases_expired = Counter(
            "paraphe_leases_expired", "Jobs taken back from workers gone silent.", registry=registry
        )
        self._sent = Counter(
            "paraphe_reconciler_messages_sent", "Messages retried or sent again.", ["topic"], registry=registry
        )
        self.uploads_removed = Counter(
            "paraphe_uploads_removed",
            "Uploads that expired or that a job was made of, and objects of uploads without a row, removed.",
            registry=registry,
        )
        self.jobs_expired = Counter(
            "paraphe_jobs_expired", "Jobs erased because their retention was over.", registry=registry
        )
        self.records_expired = Counter(
            "paraphe_records_expired",
            "Deliveries, incidents and alerts that are no longer kept.",
            ["kind"],
            registry=registry,
        )
        for kind in ("delivery", "incident", "alert"):
            self.records_expired.labels(kind)
        self.orphans_removed = Counter(
            "paraphe_orphans_removed", "Documents in the store that no job had, removed.", registry=registry
        )
        self.orphans_withheld = Gauge(
            "paraphe_orphans_withheld",
            "Documents in the store that no job has, but which are too many to be believed and removed.",
            registry=registry,
        )
        self._ticks = Gauge(
            "paraphe_reconciler_last_tick_timestamp_seconds",
            "When each loop last did its work, or else took the lead; shown only by the replica that leads.",
            ["loop"],
            registry=registry,
        )
        self._ticking: set[str] = set()
        for topic in Topic:
            self._sent.labels(topic)
        self._stability = _ComingAndGoing(
            "paraphe_model_confidence_psi",
            "Population stability index of the last day's confidences against the four weeks before (0: the same).",
            ["model", "version"],
            registry,
        )
        self._changed = _ComingAndGoing(
            "paraphe_model_changed_pages_ratio",
            "Pages that people changed, of those examined: in the last week, and in the four weeks before.",
            ["model", "version", "window"],
            registry,
        )

        self._backed_up = Gauge(
            "paraphe_last_backup_timestamp_seconds",
            "The moment that the newest backup of the database holds; 0 when none was ever made.",
            registry=registry,
        )
        self._database_bytes = Gauge("paraphe_database_bytes", "Size of the database on disk.", registry=registry)

    def show_backlog(self, backlog: Backlog, outstanding: dict[Topic, int]) -> None:
        """Set the gauges."""
        self._jobs.labels(JobState.QUEUED).set(backlog.queued)
        self._jobs.labels(JobState.PROCESSING).set(backlog.processing)
        self._oldest.set(backlog.oldest_queued_s)
        for topic, number in outstanding.items():
            self._outstanding.labels(topic).set(number)

    def show_models(self, standings: Mapping[tuple[str, str], Standing]) -> None:
        """Set the gauges of every model version; what cannot be said, or not any more, is not shown."""
        stability: dict[tuple[str, ...], float | None] = {}
        changed: dict[tuple[str, ...], float | None] = {}
        for version, standing in standings.items():
            stability[version] = standing.stability
            changed[*version, "last_week"] = standing.changed_lately
            changed[*version, "weeks_before"] = standing.changed_before
        self._stability.show(stability)
        self._changed.show(changed)

    def show_upkeep(self, upkeep: Upkeep) -> None:
        """Set the gauges."""
        self._backed_up.set(upkeep.backed_up_at.timestamp() if upkeep.backed_up_at else 0)
        self._database_bytes.set(upkeep.database_bytes)

    def count_sent(self, topic: Topic, number: int) -> None:
        """Messages the reconciler put on the broker."""
        self._sent.labels(topic).inc(number)

    def begin_ticking(self, loop: str) -> None:
        """This replica leads. From now on the loop is awaited: one that fails from the start is to be missed, too."""
        if loop not in self._ticking:
            self.tick(loop)

    def tick(self, loop: str) -> None:
        """A loop has done its work just now."""
        self._ticking.add(loop)
        self._ticks.labels(loop).set_to_current_time()

    def stop_ticking(self, loop: str) -> None:
        """Another replica leads. Were it to go, what this one did long ago would look like a loop that stands still."""
        self._ticking.discard(loop)
        self._ticks.remove(loop)


class _ComingAndGoing:
    """A gauge whose series are there only while they have a value.

    Never cleared as a whole: a scrape at that moment would find nothing, and an alert's waiting begin anew.
    """

    def __init__(self, name: str, meaning: str, labels: list[str], registry: CollectorRegistry) -> None:
        self._gauge = Gauge(name, meaning, labels, registry=registry)
        self._shown: set[tuple[str, ...]] = set()

    def show(self, values: Mapping[tuple[str, ...], float | None]) -> None:
        """Exactly these from now on, by label values; None is none."""
        known = {labels: value for labels, value in values.items() if value is not None}
        for labels, value in known.items():
            self._gauge.labels(*labels).set(value)
        for labels in self._shown - known.keys():
            self._gauge.remove(*labels)
        self._shown = set(known)
