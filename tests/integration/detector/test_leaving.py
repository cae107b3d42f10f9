"""A worker that leaves before its jobs are done gives them back."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from paraphe.local.process import ChildProcess
from shared.db import jobs
from shared.domain.job import Job, JobState
from shared.objects import ObjectStore
from tests.integration.detector.test_detector import MODEL, queue
from tests.servers import Servers
from tests.system import QUICK_RECOVERY, SAMPLES, System

HELD = 3
EXIT_UNFINISHED, EXIT_BROKEN = 3, 4


@pytest.fixture
def system(clean_servers: Servers, tmp_path: Path) -> Iterator[System]:
    settings = {**QUICK_RECOVERY, "PARAPHE_MODEL_DEFAULT": MODEL, "PARAPHE_DETECTOR_DRAIN_S": "0.5"}
    system = System(clean_servers, tmp_path, settings)
    yield system
    system.stop()


@pytest.fixture
def waiting(system: System, store: ObjectStore) -> list[Job]:
    return [queue(system, store, (SAMPLES / "contract-en.png").read_bytes()) for _ in range(HELD)]


def start_worker(system: System, *, breaks_at: int) -> ChildProcess:
    """One whose forwards end only, and break it, once so many jobs are held."""
    command = (sys.executable, "-m", "tests.integration.detector.breaking_worker", str(breaks_at))
    worker = system.processes["detector"] = ChildProcess(replace(system._spec("detector"), command=command))
    worker.spawn()
    return worker


def exit_code(worker: ChildProcess) -> int | None:
    deadline = time.monotonic() + 60
    while worker.is_alive():
        assert time.monotonic() < deadline, worker.log_tail()
        time.sleep(0.05)
    return worker.exit_code


def attempts(system: System, waiting: list[Job]) -> list[int]:
    """Those counted of each job, all of which are to be queued again."""
    with system.engine.begin() as connection:
        now = [jobs.get(connection, job.client_id, job.id) for job in waiting]
    assert {job.state for job in now} == {JobState.QUEUED}
    return sorted(job.attempts for job in now)


def test_a_worker_that_broke_charges_one_job(system: System, waiting: list[Job]) -> None:
    """One, for a document that breaks workers must not do so for ever; no more, for the others are not to blame."""
    assert exit_code(start_worker(system, breaks_at=HELD)) == EXIT_BROKEN
    assert attempts(system, waiting) == [0, 0, 1]


def test_a_worker_that_is_told_to_stop_charges_nobody(system: System, waiting: list[Job]) -> None:
    worker = start_worker(system, breaks_at=HELD + 1)
    system.wait_for_state("processing", at_least=HELD)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGTERM)
    assert exit_code(worker) == EXIT_UNFINISHED
    assert attempts(system, waiting) == [0, 0, 0]
