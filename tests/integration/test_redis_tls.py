"""``rediss://``: TLS to the broker and to sentinels, with certificates that are looked at.

The wheel's Valkey speaks no TLS itself, so it stands behind a front that does, as it does at some providers'.
"""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from services.gateway.rate_limit import RateLimiter
from services.reconciler.broker import held_messages
from shared.domain.ids import new_id
from shared.queue import EVENT_QUEUE, PUBLISH_FAULTS, Publisher
from shared.settings import RedisSettings
from tests.sentinels import watched_broker
from tests.servers import Servers

CERTIFICATE = Path(__file__).parent / "notifier" / "localhost.pem"


class TlsFront:
    """Takes TLS as ``localhost`` and passes what it hears on, in clear, to a port of loopback."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(CERTIFICATE)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        try:
            near = self._context.wrap_socket(plain, server_side=True)
            far = socket.create_connection(("127.0.0.1", self._target))
        except OSError:  # whoever does not like our certificate hangs up
            plain.close()
            return
        threading.Thread(target=_copy, args=(far, near), daemon=True).start()
        _copy(near, far)

    def close(self) -> None:
        self._listener.close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    finally:
        source.close()
        target.close()


@pytest.fixture
def front(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Iterator[TlsFront]:
    user, address = servers.environment["PARAPHE_REDIS_URL"].removeprefix("redis://").split("@")
    with closing(TlsFront(int(address.split(":")[1].split("/")[0]))) as front:
        monkeypatch.setenv("PARAPHE_REDIS_URL", f"rediss://{user}@localhost:{front.port}/0")
        yield front


def send_and_count() -> int:
    asyncio.run(RateLimiter(RedisSettings()).check())
    Publisher(RedisSettings()).publish_event(new_id())
    return held_messages(RedisSettings(), EVENT_QUEUE)


def test_with_a_certificate_we_trust(front: TlsFront, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAPHE_REDIS_TLS_CA_FILE", str(CERTIFICATE))
    assert send_and_count() == 1


def test_with_one_we_do_not_trust(front: TlsFront) -> None:
    with pytest.raises(PUBLISH_FAULTS, match="certificate verify failed"):
        Publisher(RedisSettings()).publish_event(new_id())
    with pytest.raises(ConnectionError):
        asyncio.run(RateLimiter(RedisSettings()).check())


@pytest.fixture
def by_address(front: TlsFront, monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificate is for a name."""
    monkeypatch.setenv("PARAPHE_REDIS_TLS_CA_FILE", str(CERTIFICATE))
    url = RedisSettings().url.get_secret_value()
    monkeypatch.setenv("PARAPHE_REDIS_URL", url.replace("localhost", "127.0.0.1"))


def test_with_a_certificate_of_another_name(by_address: None) -> None:
    with pytest.raises(PUBLISH_FAULTS, match="IP address mismatch"):
        Publisher(RedisSettings()).publish_event(new_id())


def test_with_a_name_nobody_asks_for(by_address: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAPHE_REDIS_TLS_CHECK_HOSTNAME", "false")
    assert send_and_count() == 1


def test_to_sentinels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with watched_broker(tmp_path) as broker, closing(TlsFront(broker.sentinels[0])) as front:
        for name, value in broker.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PARAPHE_REDIS_SENTINELS", f"localhost:{front.port}")
        with pytest.raises(PUBLISH_FAULTS):
            Publisher(RedisSettings()).publish_event(new_id())
        monkeypatch.setenv("PARAPHE_REDIS_SENTINEL_TLS", "true")
        monkeypatch.setenv("PARAPHE_REDIS_TLS_CA_FILE", str(CERTIFICATE))
        assert send_and_count() == 1
