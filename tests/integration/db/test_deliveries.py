"""Deliveries as rows: created once, taken once, ended once."""

import threading
import time

import pytest
from sqlalchemy import text

from shared.db import deliveries, delivering, events, jobs, keys
from shared.db.audit import Actor
from shared.domain.delivery import Delivery, DeliveryState, DueDelivery, EventMessage
from shared.domain.events import EventKind
from shared.domain.subscription import Channel
from tests.integration.db.stories import Stories, attempt

URL = "https://hooks.example.com/paraphe"
OTHER = "https://other.example.com/in"


def all_deliveries(stories: Stories) -> list[Delivery]:
    with stories.engine.begin() as connection:
        job_ids = connection.execute(text("select distinct job_id from deliveries order by job_id")).scalars().all()
        return [one for job_id in job_ids for one in deliveries.of_job(connection, stories.client.id, job_id)]


def states(stories: Stories) -> list[DeliveryState]:
    return [one.state for one in all_deliveries(stories)]


def finish(stories: Stories, due: DueDelivery, state: DeliveryState, status: int = 200) -> bool:
    with stories.engine.begin() as connection:
        return delivering.finish(connection, due, attempt(status), state)


def told_by(due: DueDelivery) -> EventMessage:
    assert isinstance(due.message, EventMessage)
    return due.message


def test_an_outcome_with_a_callback_is_delivered_once_however_often_it_is_announced(stories: Stories) -> None:
    _, event_id = stories.succeeded(callback_url=URL, metadata={"order": 7})
    stories.record(event_id)
    stories.record(event_id)
    due = stories.take_due()
    assert [(one.url, one.attempt, one.secrets) for one in due] == [(URL, 1, (stories.client.webhook_secret,))]
    told = told_by(due[0])
    assert (told.event_id, told.kind, told.metadata) == (event_id, EventKind.JOB_SUCCEEDED, {"order": 7})


def test_only_outcomes_of_jobs_with_a_callback_are_delivered(stories: Stories) -> None:
    _, outcome = stories.succeeded()
    stories.record(outcome)
    speaking = stories.accept(callback_url=URL)
    for event in stories.do(lambda connection: events.of_job(connection, speaking.id)):
        stories.record(event.id)
    assert stories.take_due() == []


def test_failed_and_canceled_jobs_are_told_too(stories: Stories) -> None:
    failed, canceled = stories.accept(callback_url=URL), stories.accept(callback_url=URL)
    stories.record(stories.fail(stories.claim(failed))[0].subject)
    stories.cancel(canceled)
    stories.record(stories.do(lambda c: events.of_job(c, canceled.id))[-1].id)
    assert {told_by(one).kind for one in stories.take_due()} == {EventKind.JOB_FAILED, EventKind.JOB_CANCELED}


def test_what_is_taken_comes_up_again_only_after_its_lease(stories: Stories) -> None:
    stories.to_deliver(URL)
    assert len(stories.take_due(lease_s=0.3)) == 1
    assert stories.take_due() == []
    time.sleep(0.35)
    assert len(stories.take_due()) == 1


def test_two_notifiers_never_take_the_same(stories: Stories) -> None:
    stories.to_deliver(*[URL] * 6)
    options = {"limit": 4, "per_receiver": 4, "busy": {}, "lease_s": 60.0}
    with stories.engine.begin() as one, stories.engine.begin() as other:
        first = delivering.take_due(one, Channel.WEBHOOK, **options)  # type: ignore[arg-type]
        second = delivering.take_due(other, Channel.WEBHOOK, **options)  # type: ignore[arg-type]
    assert len(first) == 4
    assert {one.id for one in first} & {one.id for one in second} == set()


def test_one_receiver_gets_only_its_share(stories: Stories) -> None:
    stories.to_deliver(*[URL] * 5, OTHER)
    taken = stories.take_due(per_receiver=2)
    assert sorted(one.url for one in taken) == [URL, URL, OTHER]


def test_what_is_under_way_counts_towards_the_share(stories: Stories) -> None:
    stories.to_deliver(*[URL] * 5, OTHER)
    busy = {(stories.client.id, "hooks.example.com"): 2}
    assert [one.url for one in stories.take_due(per_receiver=2, busy=busy)] == [OTHER]


def test_two_clients_do_not_share_a_receiver(stories: Stories) -> None:
    neighbour = Stories(stories.engine, client_name="neighbour")
    stories.to_deliver(*[URL] * 3)
    neighbour.to_deliver(URL)
    taken = stories.take_due(per_receiver=1)
    assert {one.client_id for one in taken} == {stories.client.id, neighbour.client.id}


def test_every_attempt_is_stored(stories: Stories) -> None:
    stories.to_deliver(URL)
    due = stories.take_due()[0]
    stories.do(lambda connection: delivering.retry(connection, due, attempt(503), wait_s=0.0))
    second = stories.take_due()[0]
    assert second.attempt == 2
    assert finish(stories, second, DeliveryState.DELIVERED)
    stored = all_deliveries(stories)[0]
    assert (stored.state, stored.next_attempt_at) == (DeliveryState.DELIVERED, None)
    assert [(one.status, one.succeeded) for one in stored.attempts] == [(503, False), (200, True)]


def test_a_retry_is_not_due_before_its_wait(stories: Stories) -> None:
    stories.to_deliver(URL)
    due = stories.take_due()[0]
    stories.do(lambda connection: delivering.retry(connection, due, attempt(None, "refused"), wait_s=60))
    assert stories.take_due() == []
    stored = all_deliveries(stories)[0]
    assert stored.next_attempt_at is not None
    assert stored.attempts[0].error == "refused"


def test_an_attempt_that_outlived_its_lease_does_not_undo_the_next_ones_outcome(stories: Stories) -> None:
    stories.to_deliver(URL)
    slow = stories.take_due(lease_s=0.0)[0]
    quick = stories.take_due()[0]
    finish(stories, quick, DeliveryState.DELIVERED)
    stories.do(lambda connection: delivering.retry(connection, slow, attempt(500), wait_s=0.0))
    stored = all_deliveries(stories)[0]
    assert stored.state is DeliveryState.DELIVERED
    assert len(stored.attempts) == 2, "it was tried twice, and that shows"


def test_gone_ends_all_pending_deliveries_to_that_url_and_those_to_come(stories: Stories) -> None:
    stories.to_deliver(URL, URL, OTHER)
    due = next(one for one in stories.take_due() if one.url == URL)
    finish(stories, due, DeliveryState.DISABLED, status=410)
    assert sorted(states(stories)) == [DeliveryState.DISABLED, DeliveryState.DISABLED, DeliveryState.PENDING]
    stories.to_deliver(URL)
    assert sorted(states(stories))[:3] == [DeliveryState.DISABLED] * 3


def test_gone_is_no_other_clients_business(stories: Stories) -> None:
    neighbour = Stories(stories.engine, client_name="neighbour")
    stories.to_deliver(URL)
    neighbour.to_deliver(URL)
    due = next(one for one in stories.take_due() if one.client_id == stories.client.id)
    finish(stories, due, DeliveryState.DISABLED, status=410)
    assert states(neighbour) == [DeliveryState.PENDING]


def test_many_attempts_that_meet_a_410_at_once_do_not_lock_each_other_out(stories: Stories) -> None:
    stories.to_deliver(*[URL] * 8)
    due = stories.take_due()
    errors: list[BaseException] = []

    def end(one: DueDelivery) -> None:
        try:
            finish(stories, one, DeliveryState.DISABLED, status=410)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=end, args=(one,)) for one in reversed(due)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert states(stories) == [DeliveryState.DISABLED] * 8


def test_a_delivery_erased_under_way_is_simply_gone(stories: Stories) -> None:
    stories.to_deliver(URL)
    due = stories.take_due()[0]
    key, _ = stories.do(lambda c: keys.create(c, client_name="acme", name="k", scopes=[keys.Scope.SUBMIT]))
    stories.do(lambda c: jobs.erase(c, Actor(stories.client.id, key.id), told_by(due).job_id, stories.settings))
    assert not finish(stories, due, DeliveryState.DELIVERED)


def test_recording_keeps_a_job_from_being_erased_in_between(stories: Stories) -> None:
    """Else a delivery would be made for a job that is gone, and stay pending for ever."""
    job, event_id = stories.succeeded(callback_url=URL)
    key, _ = stories.do(lambda c: keys.create(c, client_name="acme", name="k", scopes=[keys.Scope.SUBMIT]))
    eraser = threading.Thread(
        target=lambda: stories.do(lambda c: jobs.erase(c, Actor(stories.client.id, key.id), job.id, stories.settings))
    )
    with stories.engine.begin() as connection:
        wanted = deliveries.wanted(connection, [event_id])
        eraser.start()
        time.sleep(0.2)
        events.record(connection, [event_id])
        assert deliveries.create(connection, wanted) == 1
    eraser.join()
    assert stories.do(lambda c: c.execute(text("select count(*) from deliveries")).scalar_one()) == 0


def test_pending_counts_and_ages(stories: Stories) -> None:
    assert set(stories.do(deliveries.pending).values()) == {deliveries.PendingDeliveries(0, 0.0)}
    stories.to_deliver(URL, OTHER)
    stories.do(lambda c: c.execute(text("update deliveries set next_attempt_at = now() - interval '30 s'")))
    found = stories.do(deliveries.pending)[Channel.WEBHOOK]
    assert found.number == 2
    assert found.overdue_s == pytest.approx(30, abs=5)


@pytest.mark.parametrize(
    ("url", "receiver"),
    [
        ("https://Hooks.Example.com/a?b=c", "hooks.example.com"),
        ("http://example.com:8080/x", "example.com:8080"),
        ("http://user:pass@example.com/x", "example.com"),
        ("http://[::1]:80/x", "[::1]:80"),
        ("http://[broken", "http://[broken"),
        ("nonsense", "nonsense"),
    ],
)
def test_receiver_of_a_url(url: str, receiver: str) -> None:
    assert deliveries.receiver_of(url) == receiver
