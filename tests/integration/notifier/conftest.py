"""A notifier as threads of the test, and receivers of webhooks that answer as told."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import redis
from prometheus_client import CollectorRegistry
from pydantic_settings import BaseSettings
from sqlalchemy import Engine

from services.notifier.metrics import NotifierMetrics
from services.notifier.service import run
from services.notifier.settings import NotifierSettings, WebhookSettings
from shared.queue import Publisher
from shared.settings import RedisSettings
from tests.integration.db.stories import Stories
from tests.integration.notifier.mailbox import CERTIFICATE
from tests.servers import Servers

LOCAL = WebhookSettings(allow_private=True, waits_s=(0.05, 0.1), max_attempts=3, timeout_s=2.0)


@dataclass
class RunningNotifier:
    registry: CollectorRegistry

    def value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0


@pytest.fixture
def stories(engine: Engine) -> Stories:
    return Stories(engine)


@pytest.fixture
def start(servers: Servers) -> Iterator[Callable[..., RunningNotifier]]:
    """Start a notifier with the given groups of settings; all are stopped after the test."""
    started: list[tuple[threading.Event, threading.Thread]] = []

    def start_one(webhooks: WebhookSettings = LOCAL, **groups: BaseSettings) -> RunningNotifier:
        registry, stop = CollectorRegistry(), threading.Event()
        settings = NotifierSettings.model_validate({"webhooks": webhooks, **groups})
        thread = threading.Thread(target=run, args=(settings, NotifierMetrics(registry), stop), daemon=True)
        thread.start()
        started.append((stop, thread))
        return RunningNotifier(registry)

    yield start_one
    for stop, _ in started:
        stop.set()
    for _, thread in started:
        thread.join(10)


@pytest.fixture
def publisher(servers: Servers) -> Publisher:
    return Publisher(RedisSettings())


@pytest.fixture
def broker(servers: Servers) -> "redis.Redis":
    return redis.Redis.from_url(servers.environment["PARAPHE_REDIS_URL"])


@dataclass(frozen=True)
class Received:
    at: float
    path: str
    headers: dict[str, str]
    body: str

    @property
    def message(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


@dataclass
class Receiver:
    """An HTTP server that keeps what it gets and answers with the next of ``answers``; the last one repeats."""

    answers: list[tuple[int, dict[str, str]]] = field(default_factory=lambda: [(204, {})])
    received: list[Received] = field(default_factory=list)
    url: str = ""
    may_answer: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.may_answer.set()

    def take(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"])).decode()
        headers = {name.lower(): value for name, value in request.headers.items()}
        status, extra = self.answers[min(len(self.received), len(self.answers) - 1)]
        self.received.append(Received(time.monotonic(), request.path, headers, body))
        self.may_answer.wait(60)
        request.send_response(status)
        for name, value in {**extra, "Content-Length": "0"}.items():
            request.send_header(name, value)
        request.end_headers()


@pytest.fixture
def receive() -> Iterator[Callable[..., Receiver]]:
    """Start a receiver on loopback; with TLS it is ``localhost``, which only ``CERTIFICATE`` vouches for."""
    servers: list[ThreadingHTTPServer] = []

    def start_one(
        *answers: tuple[int, dict[str, str]], with_tls: bool = False, host: str = "127.0.0.1", port: int = 0
    ) -> Receiver:
        receiver = Receiver(list(answers) or [(204, {})])

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.take(self)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer((host, port), Handler)
        server.daemon_threads = True
        if with_tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        receiver.url = f"https://localhost:{server.server_port}" if with_tls else f"http://{host}:{server.server_port}"
        return receiver

    yield start_one
    for server in servers:
        server.shutdown()
        server.server_close()
