"""What every service without a web server of its own begins with."""

import signal
import threading
from collections.abc import Callable
from typing import Protocol

from shared.settings import LogSettings
from shared.telemetry import configure_logging, serve_metrics


class MetricsEndpoint(Protocol):
    """The settings that say where a process shows its metrics; port 0: nowhere."""

    @property
    def metrics_host(self) -> str: ...  # noqa: D102

    @property
    def metrics_port(self) -> int: ...  # noqa: D102


def run_service(
    name: str, log: LogSettings, endpoint: MetricsEndpoint, run: Callable[[threading.Event], object]
) -> None:
    """Log under ``name``, show metrics, and ``run`` with an event that SIGTERM and SIGINT set."""
    configure_logging(name, log)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    serve_metrics(endpoint.metrics_port, endpoint.metrics_host)
    run(stop)
