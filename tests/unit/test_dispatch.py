"""Sending while the broker hangs."""

import socket
from concurrent.futures import ThreadPoolExecutor

from shared.db.outbox import Message, Topic
from shared.dispatch import send
from shared.domain.ids import new_id
from shared.queue import Publisher
from shared.settings import RedisSettings


def test_a_broker_that_never_answers_is_no_error_however_many_send() -> None:
    senders = 16  # more than kombu keeps connections for
    with socket.create_server(("127.0.0.1", 0), backlog=2 * senders) as hung:
        # Longer than senders wait for a connection.
        settings = RedisSettings(url=f"redis://127.0.0.1:{hung.getsockname()[1]}/0", timeout_s=3.0)
        publisher = Publisher(settings)
        with ThreadPoolExecutor(senders) as threads:
            sent = threads.map(lambda _: send(publisher, [Message(Topic.EVENT, new_id())]), range(senders))
        assert list(sent) == [0] * senders, "the outbox keeps them"
