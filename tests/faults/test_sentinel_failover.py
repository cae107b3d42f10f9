"""The broker's master is killed, or falls silent, under load: sentinels name another, and no accepted job is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sentinels import WatchedBroker, watched_broker
from tests.servers import Servers
from tests.system import QUICK_RECOVERY, System

# A failover's time comes on top of what we promise after a fault.
RECOVERY_S = 90.0

SERVICES = ("gateway", "detector", "notifier", "reconciler")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[WatchedBroker]:
    with watched_broker(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
def system(clean_servers: Servers, broker: WatchedBroker, tmp_path: Path) -> Iterator[System]:
    """All services, told of the sentinels by settings alone."""
    system = System(clean_servers, tmp_path, {**QUICK_RECOVERY, **broker.environment})
    try:
        system.start(*SERVICES)
        yield system
    finally:
        system.stop()


def test_the_master_is_killed(system: System, broker: WatchedBroker, load: list[Path]) -> None:
    with system.submitting(load) as jobs:
        system.wait_for_state("succeeded", at_least=3)
        old = broker.master()
        broker.kill_master()
        broker.wait_for_failover(old)
        jobs.extend(system.submit_many(load[:10]))
    system.wait_for_outcomes(jobs, RECOVERY_S)
    system.assert_exactly_one_outcome(jobs)
    assert all(system.processes[name].is_alive() for name in SERVICES)


def test_the_master_falls_silent(system: System, broker: WatchedBroker, load: list[Path]) -> None:
    with system.submitting(load) as jobs:
        system.wait_for_state("succeeded", at_least=3)
        old = broker.freeze_master()
        broker.wait_for_failover(old)
        jobs.extend(system.submit_many(load[:10]))
        broker.thaw(old)
        broker.wait_for_demotion(old)
    system.wait_for_outcomes(jobs, RECOVERY_S)
    system.assert_exactly_one_outcome(jobs)
