"""The small programs that images carry beside the services, on real servers: health check, first key, waiting."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import make_url, text

from shared.db import keys
from shared.db.migrate import migrate
from shared.queue import DETECT_QUEUE
from shared.settings import RedisSettings
from tests.deploy.tools import DEPLOY, ROOT
from tests.deploy.watching import until
from tests.servers import Servers
from tests.system import System

_DETECTOR_PORT = "PARAPHE_DETECTOR_METRICS_PORT"
# Docker may have given the container one; nobody answers at this.
_PROXY = {"http_proxy": "http://127.0.0.1:9", "no_proxy": ""}


@pytest.fixture
def system(clean_servers: Servers, tmp_path: Path) -> Iterator[System]:
    system = System(clean_servers, tmp_path, {"PARAPHE_DETECTOR_THREADS": "2"})
    try:
        yield system
    finally:
        system.stop()


def program(name: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **_PROXY, "PYTHONPATH": str(ROOT), **settings}
    command = [sys.executable, str(DEPLOY / "docker" / name), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)


def healthy(system: System, service: str, **settings: str) -> bool:
    own = {name: value for name, value in system.processes[service].spec.env.items() if name.endswith("_PORT")}
    done = program("healthcheck.py", service, **own, **settings)
    print(done.stderr)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode == 0


def test_each_service_is_found_healthy_and_a_frozen_one_is_not(system: System) -> None:
    system.start("gateway", "detector", "notifier", "reconciler")
    for name in ("gateway", "detector", "notifier", "reconciler"):
        until(lambda name=name: healthy(system, name), 30, f"{name} healthy")
    system.freeze("notifier")
    assert not healthy(system, "notifier")
    system.thaw("notifier")
    assert healthy(system, "notifier")


def test_a_gateway_without_its_database_is_not_ready(system: System, clean_servers: Servers) -> None:
    system.start("gateway")
    clean_servers.postgres.kill()
    assert not healthy(system, "gateway")


def test_a_detector_that_does_not_consume_is_not_alive(system: System) -> None:
    """It runs, has its model, answers, and listens to another database of Redis than the one where messages wait."""
    url = RedisSettings().url.get_secret_value()
    system.environment["PARAPHE_REDIS_URL"] = str(url).rstrip("0") + "1"
    system.start("detector")
    until(lambda: healthy(system, "detector"), 30, "it has loaded its model")
    impatient = {"PARAPHE_HEALTHCHECK_IDLE_S": "1"}
    assert healthy(system, "detector", **impatient), "idle, and nothing waits"
    Redis.from_url(url).lpush(DETECT_QUEUE, "a message")
    assert not healthy(system, "detector", **impatient)
    assert healthy(system, "detector"), "a minute has not passed yet"


def test_a_detector_is_not_blamed_for_a_broker_that_is_away(system: System, clean_servers: Servers) -> None:
    system.start("detector")
    until(lambda: healthy(system, "detector"), 30, "it has loaded its model")
    clean_servers.valkey.kill()
    assert healthy(system, "detector", PARAPHE_HEALTHCHECK_IDLE_S="1")


def test_the_first_key_opens(system: System) -> None:
    secret = program("first_key.py", "for operators").stdout.strip()
    with system.engine.begin() as connection:
        key = keys.authenticate(connection, secret)
    assert key is not None
    assert set(key.scopes) == set(keys.Scope)


def test_waiting_for_the_schema_ends_with_the_migration(system: System) -> None:
    with system.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("drop database if exists unmigrated"))
        connection.execute(text("create database unmigrated"))
    url = make_url(os.environ["PARAPHE_POSTGRES_URL"]).set(database="unmigrated").render_as_string(hide_password=False)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PARAPHE_POSTGRES_URL": url}
    command = [sys.executable, str(DEPLOY / "docker/await_schema.py")]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as waiting:
        assert waiting.stderr is not None
        assert "not there yet" in waiting.stderr.readline()
        _migrate(url)
        assert waiting.wait(20) == 0


def _migrate(url: str) -> None:
    from shared.db.engine import make_engine
    from shared.settings import PostgresSettings

    engine = make_engine(PostgresSettings(url=url))  # type: ignore[arg-type]
    migrate(engine)
    engine.dispose()
