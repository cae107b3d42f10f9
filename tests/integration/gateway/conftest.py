"""A real gateway in a process of its own, and stand-ins for what is not the gateway's: workers."""

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg2
import pytest
from sqlalchemy import Engine

from services.gateway.app import create_app
from services.gateway.metrics import Metrics
from services.gateway.resources import Resources
from services.gateway.settings import Settings
from shared.db import keys
from shared.db.keys import ApiKey, Scope
from tests import loopback
from tests.servers import Servers


@dataclass(frozen=True)
class Key:
    """A key with its text."""

    row: ApiKey
    text: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.text}"}


class GatewayProcess:
    """One running gateway."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        own = {"PARAPHE_GATEWAY_PORT": str(self.port), "PYTHONUNBUFFERED": "1"}
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services.gateway"],
                env={**os.environ, **environment, **own},
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        self._wait_alive()

    def _wait_alive(self) -> None:
        for _ in range(600):
            if self.process.poll() is not None:
                break
            try:
                if loopback.get(f"{self.url}/healthz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError(f"the gateway did not start:\n{self.log.read_text()}")

    def client(self, key: Key | None = None) -> httpx.Client:
        return loopback.Client(base_url=self.url, headers=key.headers if key else {}, timeout=30)

    def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)


StartGateway = Callable[..., GatewayProcess]


@pytest.fixture
def start_gateway(clean_servers: Servers, models: Path, tmp_path: Path) -> Iterator[StartGateway]:
    """Starts gateways with settings of the test's own; they end with the test."""
    running: list[GatewayProcess] = []

    def start(**settings: str) -> GatewayProcess:
        environment = {**clean_servers.environment, "PARAPHE_MODEL_DIRECTORY": str(models), **settings}
        running.append(GatewayProcess(environment, tmp_path / f"gateway{len(running)}.log"))
        return running[-1]

    yield start
    for gateway in running:
        gateway.kill()


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder in which there is a version each of ``signatures`` and ``initials``."""
    folder = tmp_path_factory.mktemp("models")
    for name in ("signatures", "initials"):
        (folder / name / "1").mkdir(parents=True)
        (folder / name / "1" / "model.json").write_text("{}")
    return folder


StartSession = Callable[..., GatewayProcess]


@pytest.fixture(scope="session")
def start_for_session(
    session_servers: Servers, models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartSession]:
    """Gateways that live through all tests: a start costs seconds, and tests only differ in the rows they find."""
    running: list[GatewayProcess] = []

    def start(**settings: str) -> GatewayProcess:
        environment = {**session_servers.environment, "PARAPHE_MODEL_DIRECTORY": str(models), **settings}
        running.append(GatewayProcess(environment, tmp_path_factory.mktemp("gateway") / "log"))
        return running[-1]

    yield start
    for gateway in running:
        gateway.kill()


@pytest.fixture(scope="session")
def plain_gateway(start_for_session: StartSession) -> GatewayProcess:
    """With the settings as they come."""
    return start_for_session()


@pytest.fixture(scope="session")
def impatient_gateway(start_for_session: StartSession) -> GatewayProcess:
    return start_for_session(
        PARAPHE_LIMIT_DOCUMENT_BYTES="100000",
        PARAPHE_LIMIT_JSON_BYTES="1000",
        PARAPHE_GATEWAY_BACKLOG_LIMIT="2",
        PARAPHE_GATEWAY_EVENT_KEEP_ALIVE_S="0.3",
        PARAPHE_GATEWAY_PREDICT_WAIT_S="0.5",
        PARAPHE_GATEWAY_REREAD_S="60",
        PARAPHE_MODEL_DEFAULT="initials",
    )


@pytest.fixture
def gateway(clean_servers: Servers, plain_gateway: GatewayProcess) -> GatewayProcess:
    """A running gateway on empty servers."""
    return plain_gateway


@pytest.fixture
def narrow_client(clean_servers: Servers, impatient_gateway: GatewayProcess, key: Key) -> Iterator[httpx.Client]:
    """Calls a gateway with small limits, little patience and another default model; it learns only by listening."""
    with impatient_gateway.client(key) as client:
        yield client


MakeKey = Callable[..., Key]


@pytest.fixture
def make_key(engine: Engine) -> MakeKey:
    """Keys as ``keys.create`` makes them."""

    def make(*scopes: Scope, client: str = "acme", requests_per_minute: int = 100_000) -> Key:
        with engine.begin() as connection:
            row, text = keys.create(
                connection, client_name=client, name="test", scopes=scopes, requests_per_minute=requests_per_minute
            )
        return Key(row, text)

    return make


@pytest.fixture
def key(make_key: MakeKey) -> Key:
    """A key that may submit and read."""
    return make_key(Scope.SUBMIT, Scope.READ)


@pytest.fixture
def client(gateway: GatewayProcess, key: Key) -> Iterator[httpx.Client]:
    """Calls the gateway with ``key``."""
    with gateway.client(key) as client:
        yield client


@pytest.fixture
def in_process(clean_servers: Servers) -> Iterator[Resources]:
    """What another gateway works with, for tests that must step in between."""
    resources = Resources.open(Settings.from_environment(), Metrics())
    yield resources
    resources.close()


Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask(in_process: Resources) -> Ask:
    """One request with a key to the API of the gateway that works with ``in_process``."""
    app = create_app(in_process.settings)
    app.state.resources = in_process

    async def answer(method: str, path: str, key: Key, **options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://inside", headers=key.headers) as client:
            return await client.request(method, path, **options)

    return lambda *request, **options: asyncio.run(answer(*request, **options))


@pytest.fixture
def lost_answers(in_process: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two commits of ``in_process`` the first is carried out and its answer lost: every transaction is repeated."""
    dialect = in_process.engine.dialect
    commit, is_lost = dialect.do_commit, itertools.cycle((True, False))

    def commit_unheard(connection: Any) -> None:
        commit(connection)
        if next(is_lost):
            raise psycopg2.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(dialect, "do_commit", commit_unheard)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
