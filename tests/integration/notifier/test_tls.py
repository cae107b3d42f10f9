"""Webhooks over TLS: the certificate is checked against the name in the URL, though we connect to an address.

``localhost.pem`` is a self-signed certificate for ``localhost`` with its key, good for nothing but this test.
"""

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from uuid import UUID

import pytest

from services.notifier.channels.addresses import AddressPolicy
from services.notifier.channels.answer import Answer
from services.notifier.channels.webhook import WebhookChannel
from shared.domain.delivery import DueDelivery, EventMessage
from shared.domain.events import EventKind
from shared.domain.subscription import Channel, Language

CERTIFICATE = Path(__file__).with_name("localhost.pem")


@pytest.fixture
def port() -> Iterator[int]:
    """Of a receiver that speaks TLS as ``localhost``."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def send(url: str) -> Answer:
    channel = WebhookChannel(AddressPolicy(allow_private=True), timeout_s=3)
    now = datetime.now(UTC)
    nobody = UUID(int=1)
    secret = "whsec_" + "c2VjcmV0" * 6
    told = EventMessage(nobody, EventKind.JOB_SUCCEEDED, now, nobody, {}, {})
    return channel.send(DueDelivery(nobody, Channel.WEBHOOK, nobody, "", url, 1, (secret,), Language.ENGLISH, told))


def test_a_certificate_that_is_trusted_for_the_name_is_taken(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    assert send(f"https://localhost:{port}/").status == 204


def test_one_for_another_name_is_not(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    answer = send(f"https://127.0.0.1:{port}/")
    assert answer.status is None
    assert "mismatch" in (answer.error or "")


def test_one_nobody_vouches_for_is_not(port: int) -> None:
    answer = send(f"https://localhost:{port}/")
    assert answer.status is None
    assert "certificate verify failed" in (answer.error or "")
