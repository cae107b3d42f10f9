"""What the services really export: asked of their own metrics, with the labels each has."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from unittest.mock import patch

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.samples import Sample

from services.detector import metrics as detector
from services.gateway.app import create_app
from services.gateway.metrics import Metrics as GatewayMetrics
from services.gateway.settings import Settings
from services.notifier.metrics import NotifierMetrics
from services.reconciler.metrics import ReconcilerMetrics

_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}

# A gateway is made, but never started: it reaches none of these.
_ANY_SERVERS = {
    "PARAPHE_POSTGRES_URL": "postgresql://paraphe@localhost/paraphe",
    "PARAPHE_REDIS_URL": "redis://localhost",
    "PARAPHE_OBJECTS_ENDPOINT": "localhost:9000",
    "PARAPHE_OBJECTS_ACCESS_KEY": "any",
    "PARAPHE_OBJECTS_SECRET_KEY": "any",
}

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


@cache
def exported() -> dict[str, frozenset[str]]:
    """Series name to label names, over all services."""
    ours = {series.name: series.labels for wrapper in _wrappers() for series in _series(wrapper)}
    return ours | {name: frozenset(labels) for name, labels in OTHERS.items()}


def at_start() -> Iterator[Sample]:
    """Every series there is when the services have just started. Only so in a fresh process."""
    with patch.dict(os.environ, _ANY_SERVERS):
        app = create_app(Settings.from_environment())  # the gateway's series are made from its routes
    for registry in _registries(app.state.metrics):
        for family in registry.collect():
            yield from family.samples


def _registries(gateway: GatewayMetrics) -> tuple[CollectorRegistry, ...]:
    # Asked for from the registries: a metric that is made but not registered is not exported.
    notifier, reconciler = CollectorRegistry(), CollectorRegistry()
    NotifierMetrics(notifier)
    ReconcilerMetrics(reconciler)
    assert detector.PAGES in REGISTRY._collector_to_names
    return REGISTRY, gateway._registry, notifier, reconciler


def _wrappers() -> Iterator[MetricWrapperBase]:
    for registry in _registries(GatewayMetrics()):
        for collector in registry._collector_to_names:
            if isinstance(collector, MetricWrapperBase) and collector._name.startswith("paraphe"):
                yield collector


def _series(wrapper: MetricWrapperBase) -> Iterator[Exported]:
    for suffix in _SUFFIXES[str(wrapper._type)]:
        labels = {*wrapper._labelnames, *_SCRAPED, *({"le"} if suffix == "_bucket" else ())}
        yield Exported(wrapper._name + suffix, frozenset(labels))
