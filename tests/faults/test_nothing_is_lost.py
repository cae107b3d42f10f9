"""Whatever is killed, wiped or restarted under load: each accepted job ends in exactly one outcome, soon.

One file, so that one process runs them all: beside each other they would wait for each other's detectors.
"""

import time
from pathlib import Path
from uuid import UUID

import pytest
import redis

from shared.domain.job import Priority
from shared.queue import Publisher
from shared.settings import RedisSettings
from tests.servers import Servers
from tests.system import System

# What we promise after a fault has ended.
RECOVERY_S = 60.0


def test_the_detector_is_killed_in_the_middle_of_a_batch(system: System, load: list[Path]) -> None:
    jobs = system.submit_many(load)
    system.wait_for_state("succeeded", at_least=1)
    system.wait_for_state("processing", at_least=2)
    system.kill("detector")
    left = list(system.temporary.rglob("document"))
    assert left, "nothing lay there that could be left behind"
    system.start("detector")
    system.wait_for_outcomes(jobs, RECOVERY_S)
    system.assert_exactly_one_outcome(jobs)
    assert not [path for path in left if path.exists()], "documents of the killed detector are still there"


def test_the_gateway_is_killed_right_after_its_202(system: System, load: list[Path]) -> None:
    with system.submitting(load) as jobs:
        system.wait_for_state("succeeded", at_least=5)
        system.kill("gateway")
        system.start("gateway")
    system.wait_for_outcomes(jobs, RECOVERY_S)
    system.assert_exactly_one_outcome(jobs)


def test_every_message_is_delivered_three_times(system: System, load: list[Path]) -> None:
    publisher = Publisher(RedisSettings())
    jobs = system.submit_many(load)
    for job in jobs * 2:
        publisher.publish_job(UUID(job), Priority.INTERACTIVE)
    system.wait_for_outcomes(jobs, RECOVERY_S)
    system.assert_exactly_one_outcome(jobs)


def test_a_frozen_worker_loses_its_leases_and_wakes_up_to_write(system: System, load: list[Path]) -> None:
    jobs = system.submit_many(load)
    system.wait_for_state("processing", at_least=2)
    system.freeze("detector")
    system.start("detector-2")
    system.wait_for_outcomes(jobs, RECOVERY_S)
    before = _results(system)
    log = system.processes["detector"].spec.log
    said_before = len(log.read_text())
    system.thaw("detector")
    time.sleep(3)
    assert _results(system) == before, "a worker without its lease wrote"
    assert "lease lost" in log.read_text()[said_before:]
    system.assert_exactly_one_outcome(jobs)


def test_a_stopping_worker_finishes_what_it_holds_and_takes_no_more(system: System, load: list[Path]) -> None:
    jobs = system.submit_many(load)
    system.wait_for_state("processing", at_least=2)
    assert system.processes["detector"].stop(grace_s=30), "it did not drain by itself"
    with system.engine.begin() as connection:
        held = connection.exec_driver_sql("select count(*) from jobs where state = 'processing'").scalar_one()
        requeued = connection.exec_driver_sql("select count(*) from events where kind = 'job.requeued'").scalar_one()
    assert (held, requeued) == (0, 0), "a held job was dropped instead of finished"
    system.start("detector")
    system.wait_for_outcomes(jobs, RECOVERY_S)
    system.assert_exactly_one_outcome(jobs)


def test_redis_is_wiped(system: System, servers: Servers, load: list[Path]) -> None:
    broker = redis.Redis.from_url(servers.environment["PARAPHE_REDIS_URL"])
    with system.submitting(load) as jobs:
        system.wait_for_state("queued", at_least=5)
        broker.flushall()
        system.wait_for_state("succeeded", at_least=5)
        broker.flushall()
    system.wait_for_outcomes(jobs, RECOVERY_S)
    system.assert_exactly_one_outcome(jobs)


@pytest.mark.parametrize("name", ["valkey", "postgres", "seaweedfs"])
def test_a_server_is_killed_and_comes_back(system: System, servers: Servers, load: list[Path], name: str) -> None:
    server = getattr(servers, name)
    with system.submitting(load) as jobs:
        system.wait_for_state("succeeded", at_least=3)
        server.kill()
        time.sleep(3)  # submissions go on meanwhile: they are accepted, or refused and sent again
        server.start()
    system.wait_for_outcomes(jobs, RECOVERY_S)
    system.assert_exactly_one_outcome(jobs)


def _results(system: System) -> list[tuple[object, ...]]:
    with system.engine.begin() as connection:
        rows = connection.exec_driver_sql(
            "select id, state, attempts, finished_at, verdict, signature_count from jobs order by id"
        )
        return [tuple(row) for row in rows]
