"""Starts everything on one machine in the right order, keeps it running, and stops it in the reverse order."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from paraphe.local.data_folder import DataFolder, listening_fault
from paraphe.local.errors import StartupError
from paraphe.local.process import ChildProcess, end_leftovers
from paraphe.local.readiness import answers
from paraphe.local.servers import ServerGroup
from paraphe.local.services import SERVICES, STOP_WAVES, Service, service_environment, service_spec
from paraphe.local.watcher import Watcher

_GATEWAY_READY_S = 60.0
_TICK_S = 0.2
# Who listens on all addresses listens on those of one family: `::` takes no IPv4.
_LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


@dataclass(frozen=True)
class UpOptions:
    """What ``paraphe up`` was asked for. ``workers``: detector threads, None leaves the detector's own default."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int | None = None


class Supervisor:
    """One running system in one data folder. ``say`` takes lines for the person at the terminal."""

    def __init__(self, options: UpOptions, say: Callable[[str], None]) -> None:
        self.options = options
        self.folder = DataFolder(options.data)
        self.environment: dict[str, str] = {}
        self._say = say
        self._servers: ServerGroup | None = None
        self._services: dict[str, ChildProcess] = {}

    @property
    def url(self) -> str:
        """Where the gateway answers, as seen from this machine."""
        host = _LOOPBACK_OF.get(self.options.host, self.options.host)
        return f"http://[{host}]:{self.options.port}" if ":" in host else f"http://{host}:{self.options.port}"

    def claim_folder(self) -> None:
        """Own the data folder, and end what an earlier, killed owner left running.

        Raises:
            AlreadyRunningError: another process owns it.
            StartupError: the folder cannot be used, or the port is taken.
        """
        self.folder.prepare()
        self.folder.lock()
        leftovers = end_leftovers(self.folder.run_folder)
        if leftovers:
            self._say(f"ended what an earlier run left behind: {', '.join(leftovers)}")
        self.folder.clear_scratch()
        fault = listening_fault(self.options.port, self.options.host)
        if fault:
            raise StartupError(f"cannot listen on {self.options.host}, port {self.options.port}: {fault} (see --port)")

    def start_servers(self, given: Mapping[str, str]) -> list[str]:
        """Start the servers that the operator's own settings leave to us; returns their names."""
        self._servers = ServerGroup(self.folder, given)
        self._servers.spawn()
        options = self.options
        self.environment = {
            **service_environment(self.folder, given, host=options.host, port=options.port, workers=options.workers),
            **self._servers.environment,
        }
        # The preparations below (schema, key) run in this process and read the same settings as the services.
        os.environ.update(self.environment)
        self._servers.wait_ready()
        return [server.name for server in self._servers.members]

    def start_services(self) -> list[str]:
        """Start all services and wait until the gateway can do its work; returns their names.

        Raises:
            StartupError: one of them ended; the message carries the end of its log.
        """
        for service in SERVICES:
            child = ChildProcess(service_spec(self.folder, service.name, self.environment))
            child.spawn()
            self._services[service.name] = child
        self._services["gateway"].wait_until(self._is_ready, _GATEWAY_READY_S)
        self.folder.write_owner(self.url)
        return list(self._services)

    def watch(self, stop_requested: Event) -> None:
        """Keep everything running until asked to stop."""
        servers = self._servers.members if self._servers else ()
        watcher = Watcher([*servers, *self._services.values()], self._say)
        while not stop_requested.wait(_TICK_S):
            watcher.tick()

    def stop(self, hurry: Event) -> None:
        """Drain and stop everything; what takes too long, or once in a ``hurry``, is ended by force."""
        for wave in STOP_WAVES:
            running = [service for service in wave if service.name in self._services]
            if running:
                self._say(f"stopping {' and '.join(service.name for service in running)} …")
            self._stop_services(running, hurry)
        if self._servers:
            self._say("stopping servers …")
            self._servers.stop()
        self.folder.unlock()

    def _stop_services(self, services: list[Service], hurry: Event) -> None:
        for service in services:
            self._services[service.name].ask_to_stop()
        asked = time.monotonic()
        for service in services:
            child = self._services[service.name]
            while child.is_alive() and not hurry.is_set() and time.monotonic() < asked + service.stop_grace_s:
                time.sleep(0.02)
            if not child.wait_or_kill(0.0):
                self._say(f"{service.name} did not finish in time and was ended by force; its jobs are not lost")

    def _is_ready(self) -> bool:
        fallen = [child for child in self._services.values() if not child.is_alive()]
        if fallen:
            child = fallen[0]
            raise StartupError(f"{child.name} stopped at start (exit {child.exit_code}):\n{child.log_tail()}")
        return answers(f"{self.url}/readyz", timeout_s=2)
