"""The whole system, running from a throw-away folder for as long as a measurement lasts."""

import json
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from paraphe.client import Client
from paraphe.local.first_key import ensure_admin_key
from paraphe.local.supervisor import Supervisor, UpOptions
from shared.db.engine import make_engine
from shared.db.migrate import migrate
from shared.settings import PostgresSettings


@dataclass(frozen=True)
class RunningSystem:
    """Its address and key, and a client that uses both."""

    url: str
    key: str
    client: Client
    supervisor: Supervisor

    @contextmanager
    def detector_at_rest(self) -> Iterator[None]:
        """Hold the detector still, so that what it would do is not measured."""
        pid = int(json.loads(self.supervisor.folder.pid_file("detector").read_text())["pid"])
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def running_system() -> Iterator[RunningSystem]:
    """Start everything as ``paraphe up`` does, and stop it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="paraphe-benchmark-"))
    # Held still for some seconds, the detector must not lose its leases.
    os.environ.setdefault("PARAPHE_JOB_LEASE_S", "120")
    supervisor = Supervisor(UpOptions(folder, port=_free_port()), lambda line: print(line, flush=True))
    try:
        supervisor.claim_folder()
        supervisor.start_servers({})
        engine = make_engine(PostgresSettings())
        migrate(engine)
        key, _ = ensure_admin_key(engine, supervisor.folder)
        engine.dispose()
        supervisor.start_services()
        with Client(supervisor.url, key) as client:
            yield RunningSystem(supervisor.url, key, client, supervisor)
    finally:
        supervisor.stop(Event())
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
