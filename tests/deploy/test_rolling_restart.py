"""An upgrade as every platform does it: each process is asked to stop, in turn, and started anew, while jobs flow."""

import re
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from paraphe.local.process import ChildProcess
from tests.deploy.watching import until
from tests.servers import Servers
from tests.system import SAMPLES, System

_DETECTORS = ("detector", "detector-2")
_JOBS = 50


@pytest.fixture
def system(clean_servers: Servers, tmp_path: Path) -> Iterator[System]:
    system = System(clean_servers, tmp_path, {"PARAPHE_DETECTOR_THREADS": "2", "PARAPHE_DETECTOR_RENDERERS": "1"})
    try:
        system.start("gateway", *_DETECTORS, "notifier", "reconciler")
        yield system
    finally:
        system.stop()


@pytest.mark.timeout(300)
def test_each_worker_restarted_in_turn_costs_no_job(system: System) -> None:
    samples = sorted(path for path in SAMPLES.iterdir() if path.suffix != ".json")
    with system.submitting(islice(cycle(samples), _JOBS)) as accepted:
        for name in ("detector", "notifier", "detector-2", "reconciler"):
            if name in _DETECTORS:
                until(lambda name=name: _pages(system, name), 60, f"{name} takes jobs")
            _restart(system, name)
    system.wait_for_outcomes(accepted, 120)
    system.assert_exactly_one_outcome(accepted)
    with system.engine.begin() as connection:
        attempts = connection.execute(text("select attempts, count(*) from jobs group by attempts")).all()
    assert [tuple(row) for row in attempts] == [(1, _JOBS)], "some job was run twice"


def _pages(system: System, name: str) -> float:
    """How many pages a detector has examined since it was started."""
    port = system.processes[name].spec.env["PARAPHE_DETECTOR_METRICS_PORT"]
    try:
        metrics = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=2).text
    except httpx.TransportError:
        return 0
    return float(re.findall(r"^paraphe_detector_pages_total (\S+)", metrics, re.MULTILINE)[0])


def _restart(system: System, name: str) -> None:
    process = system.processes[name]
    assert process.stop(40), f"{name} did not end by itself in time"
    assert process.exit_code == 0, f"{name} gave up work it held"
    system.processes[name] = ChildProcess(process.spec)
    system.processes[name].spawn()
