"""What the gateway counts, for Prometheus."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_ALERTED_STATUSES = ("500", "503")
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


class Metrics:
    """One registry an application, so that several may live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._requests = Counter(
            "paraphe_gateway_requests",
            "Answers by route, method and status (0: the client left first).",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "paraphe_gateway_request_seconds",
            "Time from the request's head to the end of its answer.",
            ["route", "method"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._upload_bytes = Counter(
            "paraphe_gateway_upload_bytes", "Bytes of documents received.", registry=self.registry
        )
        self._accepted = Counter(
            "paraphe_gateway_accepted_jobs", "Jobs accepted.", ["model", "priority"], registry=self.registry
        )

    def begin_at_zero(self, routes: Iterable[tuple[str, str]]) -> None:
        """Show what alerts look for, of every (route, method), from the start: a rate over a series that appears with
        its first count misses that one.
        """
        for route, method in routes:
            for status in _ALERTED_STATUSES:
                self._requests.labels(route, method, status)

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answer. Methods nobody knows are one label: callers must not be able to grow the registry."""
        method = method if method in _METHODS else "OTHER"
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route, method).observe(seconds)

    def received(self, size: int) -> None:
        """Count the bytes of a document."""
        self._upload_bytes.inc(size)

    def accepted(self, model: str, priority: str) -> None:
        """Count a job."""
        self._accepted.labels(model, priority).inc()

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)
