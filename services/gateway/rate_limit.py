"""How many requests a minute one key may make, counted in Redis over all gateways.

Redis is only transport here: when it is away, requests pass uncounted rather than fail.
"""

import math
import time

import structlog
from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.exceptions import RedisError

from shared.db.keys import ApiKey
from shared.redis_address import async_pool
from shared.settings import RedisSettings

log = structlog.get_logger(__name__)

_PAUSE_S = 2.0
_TIMEOUT_S = 0.5


class RateLimiter:
    """A sliding window of one minute for each key."""

    def __init__(self, settings: RedisSettings) -> None:
        storage = RedisStorage(
            "async+redis://",  # which server is the pool's affair
            implementation="redispy",
            key_prefix="paraphe:rate",
            connection_pool=async_pool(settings, min(settings.timeout_s, _TIMEOUT_S)),  # type: ignore[arg-type]
        )
        self._storage = storage
        self._window = SlidingWindowCounterRateLimiter(storage)
        self._paused_until = 0.0

    async def seconds_to_wait(self, key: ApiKey) -> int | None:
        """Count one request; None when it may pass, else in how many seconds to try again."""
        if time.monotonic() < self._paused_until:
            return None
        limit = RateLimitItemPerMinute(key.requests_per_minute)
        try:
            if await self._window.hit(limit, str(key.id)):
                return None
            stats = await self._window.get_window_stats(limit, str(key.id))
        except (RedisError, OSError) as error:
            # Not asking again for a moment keeps a hanging Redis from slowing down every request.
            self._paused_until = time.monotonic() + _PAUSE_S
            log.warning("rate limits are off while the broker is away", error=str(error))
            return None
        return max(1, math.ceil(stats.reset_time - time.time()))

    async def check(self) -> None:
        """Raise unless the broker answers."""
        if not await self._storage.check():
            raise ConnectionError("the broker does not answer")
