"""The whole system as processes on the test servers, to be used, killed and looked at."""

import os
import random
import signal
import socket
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from pathlib import Path

import httpx
from sqlalchemy import Engine, text

from paraphe.local.process import ChildProcess, ProcessSpec
from shared.db import keys
from shared.db.engine import make_engine
from shared.settings import PostgresSettings
from tests import loopback
from tests.servers import Servers

SAMPLES = Path(__file__).parent.parent / "samples" / "documents"

# What is proved here is the route, so jobs get the model that leaves a slow machine time for the rest of it.
_MODEL = "signatures-fast"

# Shorter than the defaults, so that recovery is seen in seconds; the rules are the same.
QUICK_RECOVERY = {
    "PARAPHE_JOB_LEASE_S": "5",
    "PARAPHE_JOB_HEARTBEAT_S": "1.5",
    "PARAPHE_JOB_RESEND_AFTER_S": "4",
    "PARAPHE_JOB_RETRY_BACKOFF_S": "0.5",
}


@dataclass
class System:
    """Services by name (``gateway``, ``detector``, ``detector-2``, ``notifier``, ``reconciler``) on real servers."""

    servers: Servers
    folder: Path
    environment: dict[str, str]
    processes: dict[str, ChildProcess] = field(default_factory=dict)
    # Jobs accepted, by the address of the gateway that did; several take turns.
    accepted_by: Counter[str] = field(default_factory=Counter)
    url: str = ""
    key: str = ""
    engine: Engine = field(init=False)
    # Where the services' temporary files go.
    temporary: Path = field(init=False)

    def __post_init__(self) -> None:
        self.engine = make_engine(PostgresSettings())
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir()
        self._ports = {"gateway": free_port()}
        self.url = self.url_of("gateway")
        self.make_key()

    def make_key(self) -> None:
        """The key that jobs are submitted with; a new one when the database has been emptied."""
        with self.engine.begin() as connection:
            _, self.key = keys.create(
                connection, client_name="tests", name="tests", scopes=list(keys.Scope), requests_per_minute=1_000_000
            )

    def url_of(self, gateway: str) -> str:
        """A gateway's address; it keeps it when it is started anew."""
        return f"http://127.0.0.1:{self._ports[gateway]}"

    def start(self, *names: str) -> None:
        """Start services and wait until the gateway, if among them, is ready."""
        for name in names:
            process = ChildProcess(self._spec(name))
            process.spawn()
            self.processes[name] = process
        for name in names:
            if name.startswith("gateway"):
                self.wait_ready(name)

    def run_just(self, *names: str) -> None:
        """Start of these services those that do not run, and end all others."""
        for name in set(self.processes) - set(names):
            self.processes.pop(name).kill(whole_group=True)
        self.start(*(name for name in names if name not in self.processes or not self.processes[name].is_alive()))

    def wait_ready(self, gateway: str) -> None:
        """Until it would be given requests."""
        self.processes[gateway].wait_until(partial(self._is_ready, gateway), 30)

    def _spec(self, name: str) -> ProcessSpec:
        service = name.split("-")[0]
        ports = {"PARAPHE_GATEWAY_HOST": "127.0.0.1"}
        if service == "gateway":
            ports["PARAPHE_GATEWAY_PORT"] = str(self._ports.setdefault(name, free_port()))
        for each in ("DETECTOR", "NOTIFIER", "RECONCILER"):
            ports[f"PARAPHE_{each}_METRICS_PORT"] = str(free_port())
        return ProcessSpec(
            name=name,
            command=(sys.executable, "-m", f"services.{service}"),
            log=self.folder / f"{name}.log",
            pid_file=self.folder / f"{name}.json",
            env={
                **os.environ,
                **self.servers.environment,
                "PARAPHE_MODEL_DEFAULT": _MODEL,
                "TMPDIR": str(self.temporary),
                **self.environment,
                **ports,
            },
        )

    def _is_ready(self, gateway: str) -> bool:
        try:
            return loopback.get(f"{self.url_of(gateway)}/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def kill(self, name: str) -> None:
        """``kill -9``."""
        self.processes[name].kill()

    def freeze(self, name: str) -> None:
        """Stop the process without ending it: it looks dead to everyone else."""
        os.kill(self._pid(name), signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let it go on as if nothing had happened."""
        os.kill(self._pid(name), signal.SIGCONT)

    def _pid(self, name: str) -> int:
        pid = self.processes[name].pid
        assert pid is not None
        return pid

    def stop(self) -> None:
        """End everything that still runs."""
        for process in self.processes.values():
            process.kill(whole_group=True)
        self.engine.dispose()

    def submit(self, document: Path, *, key: str | None = None, patience_s: float = 60.0) -> str:
        """Submit as a careful client does, again with the same idempotency key until accepted; the job's id.

        Of several gateways each try goes to another, as behind a load balancer.
        """
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": key or str(uuid.uuid4())}
        deadline = time.monotonic() + patience_s
        urls = [self.url_of(name) for name in self._ports]
        for url in cycle(random.sample(urls, len(urls))):
            try:
                files = {"file": (document.name, document.read_bytes())}
                answer = loopback.post(f"{url}/v1/jobs", files=files, headers=headers, timeout=20)
                if answer.status_code in (200, 202):
                    self.accepted_by[url] += 1
                    return str(answer.json()["id"])
                assert answer.status_code == 503, f"{answer.status_code}: {answer.text}"
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline, f"{document.name} was not accepted within {patience_s:.0f} s"
            time.sleep(0.2)
        raise AssertionError("there is no gateway")

    def submit_many(self, documents: Iterable[Path]) -> list[str]:
        """Submit all, eight at a time; ids in order."""
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(self.submit, documents))

    @contextmanager
    def submitting(self, documents: Iterable[Path]) -> Iterator[list[str]]:
        """Submit in the background while the block runs; the list holds every accepted job's id after the block."""
        accepted: list[str] = []
        with ThreadPoolExecutor(8) as pool:
            futures = [pool.submit(self.submit, one) for one in documents]
            yield accepted
            accepted.extend(future.result() for future in futures)

    def wait_for_outcomes(self, job_ids: list[str], within_s: float) -> None:
        """Until every job has its outcome and every event is recorded; fails with what is left after ``within_s``."""
        deadline = time.monotonic() + within_s
        while unfinished := self._unfinished(job_ids):
            assert time.monotonic() < deadline, f"after {within_s:.0f} s: {unfinished}\n{self._logs()}"
            time.sleep(0.2)

    def _unfinished(self, job_ids: list[str]) -> dict[str, int]:
        with self.engine.begin() as connection:
            states = connection.execute(
                text("select state, count(*) from jobs where id = any(cast(:ids as uuid[])) group by state"),
                {"ids": job_ids},
            ).all()
            unrecorded = connection.execute(text("select count(*) from events where recorded_at is null")).scalar_one()
        left = {state: count for state, count in states if state in ("queued", "processing")}
        return {**left, "unrecorded events": unrecorded} if left or unrecorded else {}

    def wait_for_state(self, state: str, at_least: int, within_s: float = 30.0) -> None:
        """Until at least so many jobs are in a state: the moment to strike."""
        deadline = time.monotonic() + within_s
        while True:
            with self.engine.begin() as connection:
                counted = connection.execute(
                    text("select count(*) from jobs where state = :state"), {"state": state}
                ).scalar_one()
            if counted >= at_least:
                return
            assert time.monotonic() < deadline, f"only {counted} jobs {state}\n{self._logs()}"
            time.sleep(0.01)

    def assert_exactly_one_outcome(self, job_ids: list[str]) -> None:
        """Every job succeeded with one result set and one outcome event, and nothing is left to send."""
        assert len(set(job_ids)) == len(job_ids)
        with self.engine.begin() as connection:
            rows = connection.execute(text(_OUTCOMES), {"ids": job_ids}).all()
            others = connection.execute(
                text("select count(*) from jobs where id <> all(cast(:ids as uuid[])) and state <> 'succeeded'"),
                {"ids": job_ids},
            ).scalar_one()
            outbox = connection.execute(text("select count(*) from outbox")).scalar_one()
        assert len(rows) == len(job_ids), "an accepted job is gone"
        for row in rows:
            assert (row.state, row.outcome_events) == ("succeeded", 1), row
            assert row.pages > 0, row
            assert row.pages == row.highest_page, f"pages missing or doubled: {row}"
            assert row.detections == row.said_pages_detections, row
        assert others == 0, "a job whose acceptance was never answered did not succeed either"
        assert outbox == 0

    def _logs(self) -> str:
        return "\n".join(f"--- {name}\n{one.log_tail(12)}" for name, one in self.processes.items())


_OUTCOMES = """
select jobs.id, jobs.state, jobs.verdict,
       (select count(*) from events where job_id = jobs.id
         and kind in ('job.succeeded', 'job.failed', 'job.canceled')) as outcome_events,
       (select count(*) from job_pages where job_id = jobs.id) as pages,
       (select max(number) from job_pages where job_id = jobs.id) as highest_page,
       (select count(*) from detections where job_id = jobs.id) as detections,
       (select count(*) from detections join job_pages on job_pages.job_id = detections.job_id
         and job_pages.number = detections.page_number where detections.job_id = jobs.id) as said_pages_detections
from jobs where id = any(cast(:ids as uuid[]))
"""


def free_port() -> int:
    """A TCP port of loopback nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
