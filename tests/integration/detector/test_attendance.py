"""Workers say who they are and what they hold; one that is killed falls silent, one that stops says goodbye."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.db import workers
from shared.db.workers import Worker
from tests.servers import Servers
from tests.system import QUICK_RECOVERY, SAMPLES, System


@pytest.fixture
def system(clean_servers: Servers, tmp_path: Path) -> Iterator[System]:
    system = System(clean_servers, tmp_path, {**QUICK_RECOVERY, "PARAPHE_JOB_HEARTBEAT_S": "0.2"})
    system.start("gateway", "detector")
    yield system
    system.stop()


def at_work(system: System) -> list[Worker]:
    with system.engine.begin() as connection:
        return workers.known(connection)


def wait_for(look: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, "not within the time"
        time.sleep(0.05)


def test_a_worker_is_there_with_what_it_holds_until_it_stops(system: System) -> None:
    wait_for(lambda: bool(at_work(system)))
    (worker,) = at_work(system)
    said = worker.report
    assert said.name.endswith(f"/{system.processes['detector'].pid}")
    assert said.model.startswith("signatures-fast@")
    assert said.device == "openvino (CPU)"
    assert said.threads > 0
    assert worker.silent_s < 5

    pages = [SAMPLES / "bail-4-pages.pdf"] * 12
    submitted = set(system.submit_many(pages))
    wait_for(lambda: any(str(one) in submitted for one in at_work(system)[0].report.job_ids))
    wait_for(lambda: not at_work(system)[0].report.job_ids)

    pid = system.processes["detector"].pid
    assert pid is not None
    os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not at_work(system))


def test_a_killed_worker_is_seen_to_be_silent(system: System) -> None:
    wait_for(lambda: bool(at_work(system)))
    system.kill("detector")
    wait_for(lambda: at_work(system)[0].silent_s > 1)
    system.start("detector")
    wait_for(lambda: len(at_work(system)) == 2)
    assert at_work(system)[0].silent_s > at_work(system)[1].silent_s
