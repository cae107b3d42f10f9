"""Sending while the broker hangs."""

import socket
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice

import pytest
from kombu.pools import get_limit

from shared.db.outbox import Message, Topic
from shared.dispatch import send
from shared.domain.ids import new_id
from shared.queue import Publisher
from shared.settings import RedisSettings


@pytest.mark.parametrize("topic", Topic)
def test_a_broker_that_never_answers_is_no_error_however_many_send_nor_do_they_wait_for_each_other(
    topic: Topic,
) -> None:
    at_once, too_many = get_limit(), 6  # so many connections kombu keeps, and each waits for the broker
    assert at_once
    senders = at_once + too_many
    with ThreadPoolExecutor(senders) as threads:
        with socket.create_server(("127.0.0.1", 0), backlog=2 * senders) as hung:
            settings = RedisSettings(url=f"redis://127.0.0.1:{hung.getsockname()[1]}/0", timeout_s=60.0)
            publisher = Publisher(settings)
            sent = [threads.submit(send, publisher, [Message(topic, new_id())]) for _ in range(senders)]
            assert len(list(islice(as_completed(sent, timeout=30), too_many))) == too_many
        assert [one.result() for one in sent] == [0] * senders, "the outbox keeps them"
