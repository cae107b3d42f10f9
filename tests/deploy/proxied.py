"""Whose address the gateway sees behind a proxy."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI, Request

from services.gateway.server import make_server
from services.gateway.settings import GatewaySettings


def address_seen(believed: str, sender: str, forwarded_for: str) -> str:
    """The address a request comes from, to the gateway's server with this FORWARDED_ALLOW_IPS."""
    app = FastAPI()

    @app.get("/")
    def address(request: Request) -> str:
        return request.client.host if request.client else ""

    with pytest.MonkeyPatch.context() as context:
        context.setenv("FORWARDED_ALLOW_IPS", believed)
        config = make_server(app, GatewaySettings()).config
    config.load()

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(config.loaded_app, client=(sender, 40000))
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            return await client.get("/", headers={"X-Forwarded-For": forwarded_for})

    return str(asyncio.run(ask()).json())
