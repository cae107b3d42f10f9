"""What our transport adds to kombu's."""

import time

import pytest
from kombu import Connection, Consumer
from kombu.message import Message

from shared.domain.ids import new_id
from shared.queue import Publisher, broker_connection, event_queue
from shared.redis_transport import Channel
from shared.settings import RedisSettings


@pytest.fixture
def connection(clean_servers: object) -> Connection:
    with broker_connection(RedisSettings()) as connection:
        yield connection


def test_a_consumer_that_holds_all_it_may_soon_looks_up_again(connection: Connection) -> None:
    held: list[Message] = []
    publisher = Publisher(RedisSettings())
    for _ in range(2):
        publisher.publish_event(new_id())
    with Consumer(connection.default_channel, [event_queue()], on_message=held.append) as consumer:
        consumer.qos(prefetch_count=1)
        connection.drain_events(timeout=5)
        assert len(held) == 1
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            connection.drain_events(timeout=30)
        assert time.monotonic() - began < 10, "it waits as if messages could come"
        held[0].ack()
        connection.drain_events(timeout=5)
        assert len(held) == 2


def test_a_channel_builds_one_client_and_a_new_one_for_a_new_pool(connection: Connection) -> None:
    channel = connection.default_channel
    assert isinstance(channel, Channel)
    first = channel._create_client()
    assert channel._create_client() is first
    channel._disconnect_pools()
    assert channel._create_client() is not first
