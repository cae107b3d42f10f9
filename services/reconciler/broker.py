"""What the broker holds, asked of it directly."""

from typing import Any

from shared.queue import broker_connection, queue_lists
from shared.settings import RedisSettings


def held_messages(settings: RedisSettings, queue: str) -> int:
    """Messages waiting in a queue, over all its priorities; those consumers hold unacknowledged do not count.

    A new connection each time: this is asked once a second, and must work at once when the broker is back.
    """
    channel: Any  # kombu's type knows nothing of the Redis client that Redis channels have
    with broker_connection(settings) as connection, connection.channel() as channel:
        return sum(int(channel.client.llen(name)) for name in queue_lists(queue))
