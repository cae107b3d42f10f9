"""Every metric of every service, read off the metrics themselves."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from services.detector import metrics as detector
from services.gateway import metrics as gateway
from services.notifier import metrics as notifier
from services.reconciler import metrics as reconciler

_PREFIX = "paraphe_"


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """One metric. ``name`` is what queries say: counters' with ``_total``, histograms' without ``_bucket``."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


def metrics_of_services() -> dict[str, tuple[MetricInfo, ...]]:
    """By service. Only what is registered, so really exported."""
    of_notifier, of_reconciler = CollectorRegistry(), CollectorRegistry()
    notifier.NotifierMetrics(of_notifier)
    reconciler.ReconcilerMetrics(of_reconciler)
    registries = {
        gateway: gateway.Metrics().registry,
        detector: REGISTRY,  # its metrics are its module's
        notifier: of_notifier,
        reconciler: of_reconciler,
    }
    return {_service(module): tuple(_described(registry)) for module, registry in registries.items()}


def as_text() -> str:
    """For a terminal."""
    lines = []
    for service, found in metrics_of_services().items():
        lines += ["", service]
        lines += [f"  {one.name:<50} {one.kind:<10} {','.join(one.labels):<24} {one.meaning}" for one in found]
    return "\n".join(lines)


def as_markdown() -> str:
    """The page ``docs/metrics.md``."""
    lines = [
        "# Metrics",
        "",
        "What each service shows to Prometheus. Written by `paraphe metrics --markdown`; do not edit. Every metric is",
        "on one of the two dashboards (`deploy/grafana`), and what alerts count is there from the start, at zero.",
        "Histograms have `…_bucket`, `…_sum` and `…_count`; every process has `process_…` and `python_…` besides.",
    ]
    for service, found in metrics_of_services().items():
        lines += ["", f"## {service.capitalize()}", "", *_introduction(service)]
        lines += ["| metric | type | labels | |", "|---|---|---|---|"]
        lines += [
            f"| `{one.name}` | {one.kind} | {', '.join(f'`{label}`' for label in one.labels)} | {one.meaning} |"
            for one in found
        ]
    return "\n".join(lines)


def _introduction(service: str) -> list[str]:
    """What the module says beyond its first sentence."""
    module = next(one for one in (gateway, detector, notifier, reconciler) if _service(one) == service)
    _, _, rest = (inspect.getdoc(module) or "").partition(". ")
    return [rest, ""] if rest else []


def _service(module: ModuleType) -> str:
    return module.__name__.split(".")[1]


def _described(registry: CollectorRegistry) -> Iterator[MetricInfo]:
    # Not by collecting: a metric with labels has no series, and so no label names, before its first count.
    for collector in registry._collector_to_names:
        if isinstance(collector, MetricWrapperBase) and collector._name.startswith(_PREFIX):
            name = collector._name + ("_total" if collector._type == "counter" else "")
            yield MetricInfo(name, str(collector._type), tuple(collector._labelnames), collector._documentation)
