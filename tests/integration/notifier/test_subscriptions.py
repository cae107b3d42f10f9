"""Subscriptions: several addresses told of one event, two secrets, and what removing one ends."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook, WebhookVerificationError

from shared.db import deliveries, events, jobs, keys, subscriptions
from shared.db.audit import Actor
from shared.domain.delivery import Delivery, DeliveryState
from shared.domain.errors import ConflictError, NotFoundError
from shared.domain.events import EventKind
from shared.domain.job import Job
from shared.domain.subscription import Channel, Language, Subscription
from tests.integration.db.stories import Stories, wait_for
from tests.integration.notifier.conftest import LOCAL, Receiver, RunningNotifier

Start = Callable[..., RunningNotifier]
Receive = Callable[..., Receiver]
URL = "https://hooks.example.com/paraphe"


def subscribe(stories: Stories, url: str, *kinds: EventKind, **options: Any) -> Subscription:
    made: Subscription = stories.do(
        lambda c: subscriptions.add(c, stories.client.id, url=url, kinds=kinds or [EventKind.JOB_SUCCEEDED], **options)
    )
    return made


def record_all(stories: Stories, job: Job) -> None:
    for event in stories.do(lambda c: events.of_job(c, job.id)):
        stories.record(event.id)


def sent_to(stories: Stories, job: Job) -> list[tuple[str, str]]:
    found: list[Delivery] = stories.do(lambda c: deliveries.of_job(c, stories.client.id, job.id))
    return sorted((one.url, one.kind) for one in found)


def test_a_subscription_hears_of_its_kinds_and_of_no_others(stories: Stories) -> None:
    subscribe(stories, URL, EventKind.JOB_STARTED, EventKind.JOB_SUCCEEDED)
    subscribe(stories, "mailto:office@example.org", EventKind.JOB_FAILED, language=Language.FRENCH)
    job, _ = stories.succeeded()
    record_all(stories, job)
    assert sent_to(stories, job) == [(URL, "job.started"), (URL, "job.succeeded")]
    failed = stories.accept()
    stories.fail(stories.claim(failed))
    record_all(stories, failed)
    assert ("mailto:office@example.org", "job.failed") in sent_to(stories, failed)
    (mail,) = stories.take_due(Channel.EMAIL)
    assert (mail.language, mail.receiver) == (Language.FRENCH, "example.org")


def test_a_callback_to_a_subscribed_address_is_told_once(stories: Stories) -> None:
    subscribe(stories, URL)
    job, event_id = stories.succeeded(callback_url=URL)
    stories.record(event_id)
    assert sent_to(stories, job) == [(URL, "job.succeeded")]


def test_other_clients_events_are_none_of_its_business(stories: Stories) -> None:
    subscribe(stories, URL)
    neighbour = Stories(stories.engine, client_name="neighbour")
    job, event_id = neighbour.succeeded()
    neighbour.record(event_id)
    assert sent_to(neighbour, job) == []


def test_an_erased_jobs_last_word_is_told_and_nothing_else_of_it(stories: Stories) -> None:
    subscribe(stories, URL, *EventKind)
    job, _ = stories.succeeded(metadata={"secret": 1})
    actor = Actor(stories.client.id)
    stories.do(lambda c: jobs.erase(c, actor, job.id, stories.settings))
    record_all(stories, job)
    assert sent_to(stories, job) == [(URL, "job.erased")]
    (due,) = stories.take_due()
    assert due.message.data == {}
    assert due.message.metadata == {}  # type: ignore[union-attr]


def test_removing_ends_what_is_pending(stories: Stories) -> None:
    made = subscribe(stories, URL)
    job, event_id = stories.succeeded()
    stories.record(event_id)
    stories.do(lambda c: subscriptions.remove(c, stories.client.id, made.id))
    (found,) = stories.do(lambda c: deliveries.of_job(c, stories.client.id, job.id))
    assert found.state is DeliveryState.DISABLED
    assert stories.take_due() == []
    with pytest.raises(NotFoundError):
        stories.do(lambda c: subscriptions.remove(c, stories.client.id, made.id))


def test_one_that_is_removed_during_its_last_attempt_was_not_given_up(
    stories: Stories, receive: Receive, start: Start
) -> None:
    receiver = receive((500, {}))
    receiver.may_answer.clear()
    made = subscribe(stories, receiver.url)
    notifier = start(LOCAL.model_copy(update={"max_attempts": 1}))
    job, event_id = stories.succeeded()
    stories.record(event_id)
    wait_for(lambda: receiver.received)
    stories.do(lambda c: subscriptions.remove(c, stories.client.id, made.id))
    receiver.may_answer.set()
    wait_for(lambda: notifier.value("paraphe_webhook_attempts_total", succeeded="false") == 1)
    (found,) = stories.do(lambda c: deliveries.of_job(c, stories.client.id, job.id))
    assert (found.state, [one.status for one in found.attempts]) == (DeliveryState.DISABLED, [500])
    assert stories.do(lambda c: c.execute(text("select count(*) from incidents")).scalar_one()) == 0
    assert notifier.value("paraphe_webhook_deliveries_total", state="failed") == 0


def test_one_address_can_be_subscribed_once(stories: Stories) -> None:
    subscribe(stories, URL)
    with pytest.raises(ConflictError):
        subscribe(stories, URL, EventKind.JOB_FAILED)
    assert subscribe(Stories(stories.engine, client_name="neighbour"), URL)


def test_a_client_has_only_so_many(stories: Stories) -> None:
    for number in range(subscriptions.MOST_A_CLIENT):
        subscribe(stories, f"{URL}/{number}")
    with pytest.raises(ConflictError):
        subscribe(stories, URL)


def rotate(stories: Stories) -> str:
    """The new secret."""
    new = keys.new_webhook_secret()
    stories.do(lambda c: subscriptions.rotate_secret(c, stories.client.id, new, overlap=timedelta(hours=1)))
    return new


def test_after_a_rotation_both_secrets_verify_for_a_while(stories: Stories, receive: Receive, start: Start) -> None:
    receiver = receive()
    start()
    old, new = stories.client.webhook_secret, rotate(stories)
    stories.to_deliver(f"{receiver.url}/both")
    both = wait_for(lambda: receiver.received)[0]
    assert Webhook(old).verify(both.body, both.headers) == Webhook(new).verify(both.body, both.headers)

    stories.do(lambda c: c.execute(text("update clients set previous_secret_until = now() - interval '1 s'")))
    stories.to_deliver(f"{receiver.url}/one")
    one = wait_for(lambda: receiver.received[1:])[0]
    assert Webhook(new).verify(one.body, one.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(one.body, one.headers)


def test_there_are_never_more_than_two_secrets(stories: Stories) -> None:
    second, third = rotate(stories), rotate(stories)
    stories.to_deliver(URL)
    assert stories.take_due()[0].secrets == (third, second)


def test_a_dead_delivery_is_counted_and_arrives_when_replayed(stories: Stories, receive: Receive, start: Start) -> None:
    receiver = receive((500, {}), (500, {}), (500, {}), (200, {}))
    notifier = start()
    job, event_id = stories.succeeded(callback_url=receiver.url)
    stories.record(event_id)

    def only() -> Delivery:
        found: list[Delivery] = stories.do(lambda c: deliveries.newest(c, stories.client.id))
        assert len(found) == 1
        return found[0]

    wait_for(lambda: only().state is DeliveryState.FAILED)
    wait_for(lambda: notifier.value("paraphe_webhook_deliveries_dead") == 1, 30)
    stories.do(lambda c: deliveries.replay(c, stories.client.id, only().id))
    wait_for(lambda: only().state is DeliveryState.DELIVERED)
    assert [one.status for one in only().attempts] == [500, 500, 500, 200]
    assert {got.headers["webhook-id"] for got in receiver.received} == {str(event_id)}
    assert [one.id for one in stories.do(lambda c: deliveries.of_job(c, stories.client.id, job.id))] == [only().id]
    assert set(stories.do(deliveries.dead).values()) == {0}


def test_replaying_to_an_address_that_was_gone_enables_it(stories: Stories, receive: Receive, start: Start) -> None:
    receiver = receive((410, {}), (200, {}))
    subscribe(stories, receiver.url)
    start()
    job, event_id = stories.succeeded()
    stories.record(event_id)

    def only() -> Delivery:
        found: list[Delivery] = stories.do(lambda c: deliveries.of_job(c, stories.client.id, job.id))
        return found[0]

    def listed() -> Subscription:
        found: list[Subscription] = stories.do(lambda c: subscriptions.of_client(c, stories.client.id))
        return found[0]

    wait_for(lambda: only().state is DeliveryState.DISABLED)
    assert listed().disabled_at is not None
    stories.do(lambda c: deliveries.replay(c, stories.client.id, only().id))
    wait_for(lambda: only().state is DeliveryState.DELIVERED)
    assert listed().disabled_at is None


def test_what_is_pending_or_anothers_cannot_be_replayed(stories: Stories) -> None:
    stories.to_deliver(URL)
    (pending,) = stories.do(lambda c: deliveries.newest(c, stories.client.id))
    with pytest.raises(ConflictError):
        stories.do(lambda c: deliveries.replay(c, stories.client.id, pending.id))
    neighbour = stories.do(lambda c: keys.ensure_client(c, "neighbour"))
    with pytest.raises(NotFoundError):
        stories.do(lambda c: deliveries.replay(c, neighbour.id, pending.id))
