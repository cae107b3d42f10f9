"""The process: uvicorn, ended in good order."""

import json
import signal
import socket
from types import FrameType
from uuid import uuid4

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.gateway.problems import MEDIA_TYPE, ProblemCode
from services.gateway.settings import GatewaySettings


class Protocol(HttpToolsProtocol):
    """HTTP/1.1 whose refusals are problems too. What follows a body longer than announced is not HTTP any more."""

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - says only "invalid"
        """Answer what cannot be parsed, and close."""
        request_id = uuid4().hex
        problem = {
            "type": f"urn:paraphe:problem:{ProblemCode.LENGTH_MISMATCH}",
            "title": "Length mismatch",
            "status": 400,
            "code": ProblemCode.LENGTH_MISMATCH,
            "detail": "This is not HTTP, or the body before it was longer than its Content-Length says.",
            "instance": "",
            "request_id": request_id,
        }
        body = json.dumps(problem)
        head = (
            f"HTTP/1.1 400 Bad Request\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n"
            f"X-Request-ID: {request_id}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write((head + body).encode())
        self.transport.close()


class DrainingServer(uvicorn.Server):
    """On SIGTERM, sends home whoever only waits before it waits for the requests at work."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, answer those who wait with what there is, let the rest finish."""
        app = self.config.app
        if isinstance(app, FastAPI) and hasattr(app.state, "resources"):
            app.state.resources.watch.stop()
        await super().shutdown(sockets)

    def run_until_signal(self) -> None:
        """Serve until SIGTERM or SIGINT. Having drained is a good end, so the signal is not raised once more."""

        def nothing(number: int, frame: FrameType | None) -> None:
            """Uvicorn repeats a signal once it is done, to whom handled it before: us."""

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, nothing)
        self.run()


def make_server(app: FastAPI, settings: GatewaySettings) -> DrainingServer:
    """A server for this application, not yet running."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=Protocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.drain_s,
        lifespan="on",
    )
    return DrainingServer(config)
