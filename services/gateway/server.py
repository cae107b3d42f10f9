"""The process: uvicorn, ended in good order."""

import socket

import uvicorn
from fastapi import FastAPI

from services.gateway.settings import GatewaySettings


class DrainingServer(uvicorn.Server):
    """On SIGTERM, sends home whoever only waits before it waits for the requests at work."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, answer those who wait with what there is, let the rest finish."""
        app = self.config.app
        if isinstance(app, FastAPI) and hasattr(app.state, "resources"):
            app.state.resources.watch.stop()
        await super().shutdown(sockets)


def make_server(app: FastAPI, settings: GatewaySettings) -> DrainingServer:
    """A server for this application, not yet running."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.drain_s,
        lifespan="on",
    )
    return DrainingServer(config)
