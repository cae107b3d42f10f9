"""What results say, by model version, and what people made of them: the figures of the business."""

from prometheus_client import CollectorRegistry, Counter

from shared.domain.correction_changes import Change
from shared.domain.events import Event, EventKind
from shared.domain.verdict import Verdict

_OF_A_MODEL = ["model", "version"]


class ResultMetrics:
    """Counted from events, so once each. Model versions are those of the models folder: few."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._verdicts = Counter(
            "paraphe_verdicts",
            "Results by verdict, as the model decided.",
            [*_OF_A_MODEL, "verdict"],
            registry=registry,
        )
        self._pages = Counter("paraphe_result_pages", "Pages of results.", _OF_A_MODEL, registry=registry)
        self._boxes = Counter(
            "paraphe_corrected_boxes",
            "Boxes that people confirmed, added, removed, moved, relabelled.",
            [*_OF_A_MODEL, "change"],
            registry=registry,
        )
        self._known: set[tuple[str, str]] = set()

    def count(self, event: Event) -> None:
        """Take from the event what it says of a model."""
        name, at, version = str(event.data.get("model", "")).rpartition("@")
        if not at:
            return
        self._begin_at_zero(name, version)
        if event.kind is EventKind.JOB_SUCCEEDED:
            self._verdicts.labels(name, version, event.data["verdict"]).inc()
            self._pages.labels(name, version).inc(event.data["pages"])
        elif event.kind is EventKind.JOB_CORRECTED:
            for change, number in event.data["changes"].items():
                self._boxes.labels(name, version, change).inc(number)

    def _begin_at_zero(self, name: str, version: str) -> None:
        """Show every series of a version from its first event on."""
        if (name, version) in self._known:
            return
        self._known.add((name, version))
        for verdict in Verdict:
            self._verdicts.labels(name, version, verdict)
        for change in Change:
            self._boxes.labels(name, version, change)
