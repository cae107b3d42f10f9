"""Whatever service is killed, frozen or stopped under load: each accepted job ends in exactly one outcome, soon."""

import time
from pathlib import Path
from uuid import UUID

from shared.domain.job import Priority
from shared.queue import Publisher
from shared.settings import RedisSettings
from tests.faults.conftest import RECOVERY_S
from tests.system import System


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
    system.thaw("detector")
    time.sleep(3)
    assert _results(system) == before, "a worker without its lease wrote"
    assert "lease lost" in system.processes["detector"].spec.log.read_text()
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


def _results(system: System) -> list[tuple[object, ...]]:
    with system.engine.begin() as connection:
        rows = connection.exec_driver_sql(
            "select id, state, attempts, finished_at, verdict, signature_count from jobs order by id"
        )
        return [tuple(row) for row in rows]
