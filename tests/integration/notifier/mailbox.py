"""A real SMTP server on loopback that keeps what it gets, and refuses what it is told to."""

import ssl
from asyncio import Server
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

CERTIFICATE = Path(__file__).with_name("localhost.pem")
USER, PASSWORD = "paraphe", "correct horse"


@dataclass
class Mailbox:
    """``refusals``: what RCPT TO is answered with, one after another; then all is taken."""

    received: list[EmailMessage] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    was_encrypted: list[bool] = field(default_factory=list)
    controller: "_FreePort | None" = None

    @property
    def port(self) -> int:
        assert self.controller is not None
        return self.controller.port

    def start(self, *, with_tls: bool = False, with_login: bool = False) -> "Mailbox":
        options: dict[str, Any] = {}
        if with_tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            options = {"tls_context": context, "require_starttls": True}
        if with_login:
            options |= {"authenticator": _authenticate, "auth_required": True}
        self.controller = _FreePort(self, hostname="localhost", port=0, **options)
        self.controller.start()
        return self

    def stop(self) -> None:
        if self.controller:
            self.controller.stop()

    # What aiosmtpd calls.

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refusals:
            return self.refusals.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        self.was_encrypted.append(session.ssl is not None)
        self.received.append(message_from_bytes(content, policy=default))
        return "250 OK"


class _FreePort(Controller):
    """aiosmtpd looks whether it answers by connecting to the port it was given, which is not known yet."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, Server)
        self.port = int(self.server.sockets[0].getsockname()[1])
        super()._trigger_server()  # type: ignore[no-untyped-call]


def _authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    known = LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=data == known, handled=False)
