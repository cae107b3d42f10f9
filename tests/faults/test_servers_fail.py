"""Whatever server is killed or wiped under load: each accepted job ends in exactly one outcome, soon."""

import time
from pathlib import Path

import pytest
import redis

from tests.faults.conftest import RECOVERY_S
from tests.servers import Servers
from tests.system import System


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
