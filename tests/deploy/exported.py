"""What the services really export: asked of their own metrics, with the labels each has."""

import os
from collections.abc import Iterator
from functools import cache
from unittest.mock import patch

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.samples import Sample

from paraphe.metrics_reference import MetricInfo, metrics_of_services
from services.gateway.app import create_app
from services.gateway.settings import Settings
from services.notifier.metrics import NotifierMetrics
from services.reconciler.metrics import ReconcilerMetrics

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
    "node_filesystem_files_free": _DISK,
    "node_filesystem_files": _DISK,
    "kubelet_volume_stats_available_bytes": _VOLUME,
    "kubelet_volume_stats_capacity_bytes": _VOLUME,
    "kubelet_volume_stats_inodes_free": _VOLUME,
    "kubelet_volume_stats_inodes": _VOLUME,
}


@cache
def exported() -> dict[str, frozenset[str]]:
    """Series name to label names, over all services."""
    ours = {name: labels for found in metrics_of_services().values() for one in found for name, labels in _series(one)}
    return ours | {name: frozenset(labels) for name, labels in OTHERS.items()}


def _series(metric: MetricInfo) -> Iterator[tuple[str, frozenset[str]]]:
    for suffix in ("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",):
        yield metric.name + suffix, frozenset({*metric.labels, *_SCRAPED, *({"le"} if suffix == "_bucket" else ())})


def at_start() -> Iterator[Sample]:
    """Every series there is when the services have just started. Only so in a fresh process."""
    with patch.dict(os.environ, _ANY_SERVERS):
        app = create_app(Settings.from_environment())  # the gateway's series are made from its routes
    notifier, reconciler = CollectorRegistry(), CollectorRegistry()
    NotifierMetrics(notifier)
    ReconcilerMetrics(reconciler)
    for registry in (app.state.metrics.registry, REGISTRY, notifier, reconciler):
        for family in registry.collect():
            yield from family.samples
