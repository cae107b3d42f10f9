"""An upgrade as every platform does it: each process is asked to stop, in turn, and started anew, while jobs flow."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from paraphe.local.process import ChildProcess
from tests import loopback
from tests.deploy.watching import until
from tests.servers import Servers
from tests.system import SAMPLES, System, free_port

_DETECTORS = ("detector", "detector-2")
_JOBS = 50


@pytest.fixture
def system(clean_servers: Servers, tmp_path: Path) -> Iterator[System]:
    settings = {
        "PARAPHE_DETECTOR_THREADS": "2",
        "PARAPHE_DETECTOR_RENDERERS": "1",
        # Nobody takes the traces: that may neither cost a job nor hold up an end.
        "PARAPHE_TRACING_ENDPOINT": f"http://127.0.0.1:{free_port()}/v1/traces",
    }
    system = System(clean_servers, tmp_path, settings)
    try:
        yield system
    finally:
        system.stop()


@pytest.mark.timeout(300)
def test_each_worker_restarted_in_turn_costs_no_job(system: System) -> None:
    system.start("gateway", *_DETECTORS, "notifier", "reconciler")
    samples = sorted(path for path in SAMPLES.iterdir() if path.suffix != ".json")
    with system.submitting(islice(cycle(samples), _JOBS)) as accepted:
        for name in ("detector", "notifier", "detector-2", "reconciler"):
            if name in _DETECTORS:
                until(lambda name=name: _pages(system, name), 60, f"{name} takes jobs")
            _restart(system, name)
    _assert_each_ran_once(system, accepted)
    assert len(accepted) == _JOBS


@pytest.mark.timeout(300)
def test_each_gateway_restarted_in_turn_costs_no_job(system: System) -> None:
    """Clients come by whichever gateway is there; one whose answer is lost asks again with the same key."""
    gateways = ("gateway", "gateway-2")
    system.start(*gateways, "detector", "notifier", "reconciler")
    with _submitting_on(system) as accepted:
        for name in (*gateways, *gateways):
            url = system.url_of(name)
            before = system.accepted_by[url]
            until(lambda url=url, before=before: system.accepted_by[url] > before + 2, 60, f"{name} accepts jobs")
            _restart(system, name)
            system.wait_ready(name)
    _assert_each_ran_once(system, accepted)


@contextmanager
def _submitting_on(system: System, clients: int = 4, pause_s: float = 0.3) -> Iterator[list[str]]:
    """While the block runs clients submit, each one document after the other; the ids of all accepted jobs."""
    sample = min((path for path in SAMPLES.iterdir() if path.suffix != ".json"), key=lambda path: path.stat().st_size)
    stop = threading.Event()

    def submit_on() -> list[str]:
        accepted = []
        while not stop.is_set():
            accepted.append(system.submit(sample))
            stop.wait(pause_s)
        return accepted

    accepted: list[str] = []
    with ThreadPoolExecutor(clients) as pool:
        futures = [pool.submit(submit_on) for _ in range(clients)]
        try:
            yield accepted
        finally:
            stop.set()
        for future in futures:
            accepted.extend(future.result())


def _assert_each_ran_once(system: System, accepted: list[str]) -> None:
    """All there is are the accepted jobs: none lost, none failed, none submitted or examined twice."""
    system.wait_for_outcomes(accepted, 150)
    system.assert_exactly_one_outcome(accepted)
    with system.engine.begin() as connection:
        attempts = connection.execute(text("select attempts, count(*) from jobs group by attempts")).all()
    assert [tuple(row) for row in attempts] == [(1, len(accepted))]


def _pages(system: System, name: str) -> float:
    """How many pages a detector has examined since it was started."""
    port = system.processes[name].spec.env["PARAPHE_DETECTOR_METRICS_PORT"]
    try:
        metrics = loopback.get(f"http://127.0.0.1:{port}/metrics", timeout=2).text
    except httpx.TransportError:
        return 0
    return float(re.findall(r"^paraphe_detector_pages_total (\S+)", metrics, re.MULTILINE)[0])


def _restart(system: System, name: str) -> None:
    process = system.processes[name]
    assert process.stop(40), f"{name} did not end by itself in time"
    assert process.exit_code == 0, f"{name} gave up work it held"
    system.processes[name] = ChildProcess(process.spec)
    system.processes[name].spawn()
