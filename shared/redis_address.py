"""Where the broker is: at the URL's address, or wherever the sentinels say; in redis-py's words, which kombu shares."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import redis.asyncio
import redis.asyncio.sentinel
import redis.sentinel
from pydantic import SecretStr
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from shared.settings import RedisSettings

_SENTINEL_PORT = 26379


@dataclass(frozen=True)
class Sentinels:
    """Whom to ask for the master, and how. Its repr, by which kombu tells connections apart, shows no secret."""

    nodes: tuple[tuple[str, int], ...]
    master: str
    username: str | None
    password: SecretStr
    tls: tuple[tuple[str, Any], ...] | None
    timeout_s: float

    def manager(self) -> redis.sentinel.Sentinel:
        """For threads."""
        options = self._options(Retry(NoBackoff(), 0))
        return redis.sentinel.Sentinel(self.nodes, sentinel_kwargs=options)  # type: ignore[no-untyped-call]

    def async_manager(self, timeout_s: float) -> redis.asyncio.sentinel.Sentinel:
        """For an event loop."""
        options = {**self._options(AsyncRetry(NoBackoff(), 0)), **_timeouts(timeout_s)}
        return redis.asyncio.sentinel.Sentinel(self.nodes, sentinel_kwargs=options)  # type: ignore[no-untyped-call]

    def _options(self, once: Any) -> dict[str, Any]:
        """``once``: by itself redis-py would try a sentinel that is away again and again before it asks the next."""
        tls = {"ssl": True, **dict(self.tls)} if self.tls is not None else {}
        secret = self.password.get_secret_value() or None
        return {"username": self.username, "password": secret, "retry": once, **_timeouts(self.timeout_s), **tls}


def sentinels(settings: RedisSettings) -> Sentinels | None:
    """Those the settings name, if any."""
    if not settings.sentinels:
        return None
    return Sentinels(
        nodes=tuple(_node(text) for text in settings.sentinels),
        master=settings.sentinel_master,
        username=settings.sentinel_username,
        password=settings.sentinel_password,
        tls=tuple(_tls(settings).items()) if settings.sentinel_tls else None,
        timeout_s=settings.timeout_s,
    )


def tls_options(settings: RedisSettings) -> dict[str, Any] | None:
    """For the broker itself; None: in clear."""
    return _tls(settings) if settings.url.get_secret_value().startswith("rediss://") else None


def async_pool(settings: RedisSettings, timeout_s: float) -> redis.asyncio.ConnectionPool:
    """Connections of an event loop to whoever is master. One that was lost is tried once again."""
    url = settings.url.get_secret_value()
    options = {**_timeouts(timeout_s), **(tls_options(settings) or {}), "retry": AsyncRetry(NoBackoff(), 1)}
    asked = sentinels(settings)
    if asked is None:
        return redis.asyncio.ConnectionPool.from_url(url, **options)
    parts = {**redis.asyncio.connection.parse_url(url), **options}
    for unused in ("host", "port", "connection_class"):
        parts.pop(unused, None)
    return redis.asyncio.sentinel.SentinelConnectionPool(  # type: ignore[no-untyped-call]
        asked.master, asked.async_manager(timeout_s), ssl=tls_options(settings) is not None, **parts
    )


def _tls(settings: RedisSettings) -> dict[str, Any]:
    files = {
        "ssl_ca_certs": settings.tls_ca_file,
        "ssl_certfile": settings.tls_cert_file,
        "ssl_keyfile": settings.tls_key_file,
    }
    named = {name: str(path) for name, path in files.items() if path is not None}
    return {"ssl_cert_reqs": "required", "ssl_check_hostname": settings.tls_check_hostname, **named}


def _timeouts(seconds: float) -> dict[str, float]:
    return {"socket_timeout": seconds, "socket_connect_timeout": seconds}


def _node(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    return parts.hostname or "", parts.port or _SENTINEL_PORT
