"""Whether this container does its work: ``healthcheck.py gateway|detector|notifier|reconciler``. Exit status 0 or 1.

A detector's life is not that its process runs but that it consumes: one that is idle while messages wait has lost its
broker connection or hangs. It is not blamed for a broker that is away: starting it anew would not bring that back.
"""

import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

_ANSWER_S = 5.0
_PORTS = {"detector": 9102, "notifier": 9103, "reconciler": 9104}
# Longer than any pause of a healthy worker between two messages that wait.
_IDLE_S = float(os.environ.get("PARAPHE_HEALTHCHECK_IDLE_S", "60"))
# Docker can give every container a proxy (`proxies` of its client's settings): that is no way to our own loopback.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class UnhealthyError(Exception):
    """What is wrong."""


def check_gateway() -> None:
    """Ready: database and object store answer. A missing broker does not prevent it from accepting jobs."""
    _get(f"http://127.0.0.1:{os.environ.get('PARAPHE_GATEWAY_PORT', '8000')}/readyz")


def check_metrics(service: str) -> str:
    """The process answers; returns its metrics."""
    port = os.environ.get(f"PARAPHE_{service.upper()}_METRICS_PORT", str(_PORTS[service]))
    return _get(f"http://127.0.0.1:{port}/metrics")


def check_detector() -> None:
    """A model is loaded, and messages that wait are taken."""
    series = parse(check_metrics("detector"))
    if not any(name.startswith("paraphe_detector_model_info{") for name in series):
        raise UnhealthyError("no model loaded yet")
    if series.get("paraphe_detector_jobs_held", 0) > 0:
        return
    last = max(series.get("paraphe_detector_last_claim_timestamp_seconds", 0), series["process_start_time_seconds"])
    idle_s = time.time() - last
    if idle_s > _IDLE_S and (waiting := _messages_waiting()):
        raise UnhealthyError(f"{waiting} messages wait, none taken for {idle_s:.0f} s, no job held")


def parse(exposition: str) -> Mapping[str, float]:
    """Series (with its labels, as written) to value, of Prometheus' text format."""
    lines = (line.rsplit(" ", 1) for line in exposition.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def _messages_waiting() -> int:
    from shared.queue import DETECT_QUEUE, PUBLISH_FAULTS, broker_connection, queue_lists
    from shared.settings import RedisSettings

    try:
        channel: Any  # kombu's type knows nothing of the Redis client that Redis channels have
        with broker_connection(RedisSettings()) as connection, connection.channel() as channel:
            return sum(int(channel.client.llen(name)) for name in queue_lists(DETECT_QUEUE))
    except PUBLISH_FAULTS as error:
        print(f"broker is away: {error}", file=sys.stderr)
        return 0


def _get(url: str) -> str:
    try:
        with _direct.open(url, timeout=_ANSWER_S) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        raise UnhealthyError(error.read().decode(errors="replace")[:500]) from error
    except OSError as error:
        raise UnhealthyError(f"{url}: {error}") from error


def main() -> int:
    """Check the service named; returns the exit status."""
    service = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        if service == "gateway":
            check_gateway()
        elif service == "detector":
            check_detector()
        else:
            check_metrics(service)
    except UnhealthyError as unhealthy:
        print(unhealthy, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
