"""Webhooks, received by a real HTTP server."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from services.notifier.settings import WebhookSettings
from shared import dispatch
from shared.db import deliveries
from shared.db.outbox import Message, Topic
from shared.domain.delivery import Delivery, DeliveryState
from shared.domain.job import Job
from shared.queue import Publisher
from shared.settings import RedisSettings
from tests.integration.db.stories import Stories, wait_for
from tests.integration.notifier.conftest import LOCAL, Receiver, RunningNotifier
from tests.servers import Servers

Start = Callable[..., RunningNotifier]
Receive = Callable[..., Receiver]


def delivery_of(stories: Stories, job: Job) -> Delivery:
    found: list[Delivery] = stories.do(lambda c: deliveries.of_job(c, stories.client.id, job.id))
    assert len(found) == 1
    return found[0]


def announced(stories: Stories, url: str, **options: Any) -> Job:
    """A succeeded job whose outcome has been recorded."""
    job, event_id = stories.succeeded(callback_url=url, **options)
    stories.record(event_id)
    return job


def ended(stories: Stories, job: Job, within_s: float = 10) -> Delivery:
    wait_for(lambda: delivery_of(stories, job).state is not DeliveryState.PENDING, within_s)
    return delivery_of(stories, job)


def test_from_the_event_message_to_the_receiver(stories: Stories, receive: Receive, start: Start) -> None:
    """The whole way, and the library that receivers use accepts the signature."""
    receiver = receive()
    start()
    metadata = {"order": 7, "customer": "Zoë"}
    job, event_id = stories.succeeded(callback_url=f"{receiver.url}/hook?x=1", metadata=metadata)
    dispatch.send(Publisher(RedisSettings()), [Message(Topic.EVENT, one) for one in stories.outbox(Topic.EVENT)])
    got = wait_for(lambda: receiver.received)[0]
    assert Webhook(stories.client.webhook_secret).verify(got.body, got.headers) == got.message
    assert (got.path, got.headers["content-type"]) == ("/hook?x=1", "application/json")
    assert got.headers["webhook-id"] == str(event_id)
    assert got.message["type"] == "job.succeeded"
    data = got.message["data"]
    assert (data["job_id"], data["metadata"], data["verdict"], data["count"]) == (str(job.id), metadata, "signed", 1)
    delivery = ended(stories, job)
    assert delivery.state is DeliveryState.DELIVERED
    assert [(one.status, one.succeeded, one.error) for one in delivery.attempts] == [(204, True, None)]
    with pytest.raises(WebhookVerificationError):
        Webhook(stories.client.webhook_secret).verify(got.body.replace("signed", "unsigned"), got.headers)


def test_a_failing_receiver_is_tried_again_until_it_answers(stories: Stories, receive: Receive, start: Start) -> None:
    receiver = receive((500, {}), (302, {"Location": "http://127.0.0.1:1/"}), (200, {}))
    notifier = start()
    job = announced(stories, receiver.url)
    delivery = ended(stories, job)
    assert delivery.state is DeliveryState.DELIVERED
    assert [one.status for one in delivery.attempts] == [500, 302, 200], "a redirect is an answer, not a way"
    assert len({got.headers["webhook-id"] for got in receiver.received}) == 1
    assert notifier.value("paraphe_webhook_attempts_total", succeeded="false") == 2


def test_attempts_used_up_end_the_delivery(stories: Stories, receive: Receive, start: Start) -> None:
    receiver = receive((503, {}))
    notifier = start()
    delivery = ended(stories, announced(stories, receiver.url))
    assert (delivery.state, len(delivery.attempts)) == (DeliveryState.FAILED, 3)
    wait_for(lambda: notifier.value("paraphe_webhook_deliveries_total", state="failed") == 1)


def test_retry_after_is_honoured(stories: Stories, receive: Receive, start: Start) -> None:
    receiver = receive((429, {"Retry-After": "2"}), (200, {}))
    start()
    ended(stories, announced(stories, receiver.url))
    first, second = (got.at for got in receiver.received)
    assert second - first >= 1.9, "its own wait would have been a twentieth of a second"


def test_gone_disables_the_endpoint(stories: Stories, receive: Receive, start: Start) -> None:
    receiver = receive((410, {}))
    start()
    job = announced(stories, receiver.url)
    assert ended(stories, job).state is DeliveryState.DISABLED
    later = announced(stories, receiver.url)
    assert delivery_of(stories, later).state is DeliveryState.DISABLED
    assert len(receiver.received) == 1


def test_nobody_listening_is_an_error_that_is_kept(stories: Stories, start: Start) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/"
    start()
    delivery = ended(stories, announced(stories, url))
    assert delivery.state is DeliveryState.FAILED
    assert {one.status for one in delivery.attempts} == {None}
    assert "refused" in (delivery.attempts[0].error or "")


def test_a_slow_receiver_does_not_delay_the_others(stories: Stories, receive: Receive, start: Start) -> None:
    slow, quick = receive(), receive()
    slow.may_answer.clear()
    start(LOCAL.model_copy(update={"threads": 4, "per_receiver": 2, "timeout_s": 60.0}))
    for _ in range(10):
        announced(stories, slow.url)
    wait_for(lambda: len(slow.received) == 2)
    jobs = [announced(stories, quick.url) for _ in range(20)]
    assert all(ended(stories, job).state is DeliveryState.DELIVERED for job in jobs)
    assert len(slow.received) == 2, "it holds its share of the threads and no more"
    slow.may_answer.set()
    wait_for(lambda: len(slow.received) == 10)


@pytest.fixture
def dripping() -> Iterator[str]:
    """A server that sends its answer byte by byte, each in time for a time-out on single reads."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=drip, args=(connection,), daemon=True).start()

    def drip(connection: socket.socket) -> None:
        with connection:
            try:
                for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1000:
                    connection.sendall(bytes([byte]))
                    time.sleep(0.1)
            except OSError:
                pass

    threading.Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    listener.close()


def test_a_dripping_receiver_is_cut_off_in_time(stories: Stories, dripping: str, start: Start) -> None:
    start(LOCAL.model_copy(update={"timeout_s": 0.5, "max_attempts": 1}))
    delivery = ended(stories, announced(stories, dripping))
    assert delivery.state is DeliveryState.FAILED
    assert 400 < delivery.attempts[0].milliseconds < 20_000, "the whole answer would take 100 s"


def test_private_addresses_are_refused_by_default(stories: Stories, receive: Receive, start: Start) -> None:
    receiver = receive()
    port = receiver.url.rpartition(":")[2]
    start(WebhookSettings())
    hosts = ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0", "2130706433")
    for job in [announced(stories, f"http://{host}:{port}/") for host in hosts]:
        delivery = ended(stories, job)
        assert (delivery.state, len(delivery.attempts)) == (DeliveryState.FAILED, 1)
        assert "where webhooks may not go" in (delivery.attempts[0].error or "")
    assert receiver.received == []


def test_an_allowed_network_is_delivered_to(
    stories: Stories, receive: Receive, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARAPHE_WEBHOOK_ALLOWED_NETWORKS", "10.0.0.0/8, 127.0.0.0/8")
    receiver = receive()
    start(WebhookSettings())
    assert ended(stories, announced(stories, receiver.url)).state is DeliveryState.DELIVERED


def test_a_url_that_is_none_of_ours_fails_at_once(stories: Stories, start: Start) -> None:
    start()
    urls = ("http://user:secret@127.0.0.1/", "ftp://127.0.0.1/", "http:///x", "http://[::1", "nonsense")
    for job in [announced(stories, url) for url in urls]:
        delivery = ended(stories, job)
        assert (delivery.state, len(delivery.attempts)) == (DeliveryState.FAILED, 1)
        assert "URL" in (delivery.attempts[0].error or "")


def test_what_a_dead_notifier_took_is_delivered_after_its_lease(
    stories: Stories, receive: Receive, start: Start
) -> None:
    receiver = receive()
    job = announced(stories, receiver.url)
    assert len(stories.take_due(lease_s=0.5)) == 1  # taken by one that dies now
    start()
    assert ended(stories, job).state is DeliveryState.DELIVERED
    assert len(receiver.received) == 1


def test_deliveries_go_on_after_a_database_restart(
    stories: Stories, receive: Receive, start: Start, servers: Servers
) -> None:
    receiver = receive()
    start()
    ended(stories, announced(stories, receiver.url))
    stories.engine.dispose()
    servers.postgres.restart()
    job = announced(stories, receiver.url)
    assert ended(stories, job, within_s=20).state is DeliveryState.DELIVERED
