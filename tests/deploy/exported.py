"""What the services really export: asked of their own metrics, with the labels each has."""

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from services.detector import metrics as detector
from services.gateway.metrics import Metrics as GatewayMetrics
from services.notifier.metrics import NotifierMetrics
from services.reconciler.metrics import ReconcilerMetrics

_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}

# What others export, with the labels we use: Prometheus itself, prometheus_client, node_exporter, the kubelet.
_SCRAPED = {"job", "instance"}
_DISK = {"mountpoint", "fstype"}
_VOLUME = {"namespace", "persistentvolumeclaim"}
OTHERS = {
    "up": _SCRAPED,
    "ALERTS": {"alertname", "alertstate", "severity"},
    "process_start_time_seconds": _SCRAPED,
    "process_resident_memory_bytes": _SCRAPED,
    "process_cpu_seconds_total": _SCRAPED,
    "node_filesystem_avail_bytes": _DISK,
    "node_filesystem_size_bytes": _DISK,
    "kubelet_volume_stats_available_bytes": _VOLUME,
    "kubelet_volume_stats_capacity_bytes": _VOLUME,
}


@dataclass(frozen=True)
class Exported:
    """One series name and the labels it has."""

    name: str
    labels: frozenset[str]


def exported() -> dict[str, frozenset[str]]:
    """Series name to label names, over all services."""
    ours = {series.name: series.labels for wrapper in _wrappers() for series in _series(wrapper)}
    return ours | {name: frozenset(labels) for name, labels in OTHERS.items()}


def _wrappers() -> Iterator[MetricWrapperBase]:
    # The collectors are asked for from the registries: a metric that is made but not registered is not exported.
    gateway, notifier, reconciler = GatewayMetrics(), CollectorRegistry(), CollectorRegistry()
    NotifierMetrics(notifier)
    ReconcilerMetrics(reconciler)
    assert detector.PAGES in REGISTRY._collector_to_names
    for registry in (REGISTRY, gateway._registry, notifier, reconciler):
        for collector in registry._collector_to_names:
            if isinstance(collector, MetricWrapperBase) and collector._name.startswith("paraphe"):
                yield collector


def _series(wrapper: MetricWrapperBase) -> Iterator[Exported]:
    for suffix in _SUFFIXES[str(wrapper._type)]:
        labels = {*wrapper._labelnames, *_SCRAPED, *({"le"} if suffix == "_bucket" else ())}
        yield Exported(wrapper._name + suffix, frozenset(labels))
