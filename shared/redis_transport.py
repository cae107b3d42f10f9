"""kombu's Redis transport with one client object a channel.

kombu 5.7 builds a new redis-py client for every message it publishes, takes and acknowledges. The connections are
pooled, but building the object alone costs redis-py 8 about a millisecond: a third of a worker's Python time.
"""

from typing import Any

from kombu.transport import redis


class Channel(redis.Channel):
    """Keeps its client as long as its pool. Clients are safe to share between threads."""

    _kept: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        if asynchronous:  # used for blocking reads, and made once by kombu itself
            return super()._create_client(asynchronous=True)  # type: ignore[misc]
        if self._kept is None or self._kept.connection_pool is not self.pool:
            self._kept = super()._create_client()  # type: ignore[misc]
        return self._kept


class Transport(redis.Transport):
    """For ``redis://`` addresses."""

    Channel = Channel


NAME = f"{__name__}:Transport"
