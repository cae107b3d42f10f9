"""The very same services as anywhere else, as child processes: which, with what settings, stopped in which order."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from paraphe.local.data_folder import DataFolder
from paraphe.local.process import ProcessSpec

# A person at the terminal waits for these: shorter than on a server, and what is not finished is not lost.
_DRAIN_S = 8
_GATEWAY_DRAIN_S = 5


@dataclass(frozen=True)
class Service:
    """One service and how long it may take to finish when asked to stop, in seconds."""

    name: str
    stop_grace_s: float


# Stopped wave by wave: first nothing new comes in and what is held is finished, then what tells others about it.
STOP_WAVES: tuple[tuple[Service, ...], ...] = (
    (Service("gateway", _GATEWAY_DRAIN_S + 2.0), Service("detector", _DRAIN_S + 2.0)),
    (Service("notifier", 5.0), Service("reconciler", 5.0)),
)
SERVICES = tuple(service for wave in STOP_WAVES for service in wave)


def service_environment(
    folder: DataFolder, given: Mapping[str, str], *, host: str, port: int, workers: int | None
) -> dict[str, str]:
    """Settings of the services beside the servers' addresses. What the operator has set (``given``) stays."""
    metrics = {
        f"PARAPHE_{name.upper()}_METRICS_PORT": str(folder.port(f"{name}.metrics"))
        for name in ("detector", "notifier", "reconciler")
        if f"PARAPHE_{name.upper()}_METRICS_PORT" not in given
    }
    address = {"PARAPHE_GATEWAY_HOST": host, "PARAPHE_GATEWAY_PORT": str(port)}
    settings = {"TMPDIR": str(folder.scratch), **address, **metrics}
    if workers is not None:
        settings["PARAPHE_DETECTOR_THREADS"] = str(workers)
    drains = {"PARAPHE_DETECTOR_DRAIN_S": str(_DRAIN_S), "PARAPHE_GATEWAY_DRAIN_S": str(_GATEWAY_DRAIN_S)}
    return {**settings, **{name: value for name, value in drains.items() if name not in given}}


def service_spec(folder: DataFolder, name: str, environment: Mapping[str, str]) -> ProcessSpec:
    """How to run one service as our child."""
    return ProcessSpec(
        name=name,
        command=(sys.executable, "-m", f"services.{name}"),
        log=folder.log(name),
        pid_file=folder.pid_file(name),
        env=environment,
    )


def metrics_addresses(environment: Mapping[str, str], url: str) -> dict[str, str]:
    """Where each service's metrics are."""
    found = {"gateway": f"{url}/metrics"}
    for service in ("detector", "notifier", "reconciler"):
        name = f"PARAPHE_{service.upper()}_METRICS_PORT"
        port = environment.get(name) or os.environ.get(name)
        if port and port != "0":
            found[service] = f"http://127.0.0.1:{port}/metrics"
    return found
