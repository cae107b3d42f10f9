"""Events: recorded once each, counted once each, whatever happens to the broker and the database."""

import json
import time
from collections.abc import Callable
from functools import partial
from uuid import UUID, uuid4

import pytest
import redis
from kombu import Producer
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from services.notifier.settings import MailSettings
from services.reconciler.metrics import ReconcilerMetrics
from services.reconciler.repairs import Repairs
from shared import dispatch
from shared.db import events, jobs
from shared.db.audit import Actor
from shared.db.outbox import Message, Topic
from shared.objects import ObjectStore
from shared.queue import EVENT_QUEUE, Publisher, broker_connection
from shared.settings import JobSettings, ObjectsSettings, RedisSettings
from tests.integration.db.stories import Stories, wait_for
from tests.integration.notifier.conftest import RunningNotifier
from tests.servers import Servers

Start = Callable[..., RunningNotifier]


def announce(publisher: Publisher, event_ids: list[UUID]) -> None:
    messages = [Message(Topic.EVENT, event_id) for event_id in event_ids]
    assert dispatch.send(publisher, messages) == len(messages)


def unrecorded(stories: Stories) -> int:
    query = text("select count(*) from events where recorded_at is null")
    return int(stories.do(lambda connection: connection.execute(query).scalar_one()))


def test_an_event_announced_many_times_is_recorded_and_counted_once(
    stories: Stories, publisher: Publisher, start: Start
) -> None:
    stories.succeeded()
    event_ids = list(stories.outbox(Topic.EVENT))
    announce(publisher, event_ids * 3)
    notifier = start()
    wait_for(lambda: unrecorded(stories) == 0)
    announce(publisher, event_ids)
    stories.succeeded()
    announce(publisher, list(stories.outbox(Topic.EVENT)))
    wait_for(lambda: notifier.value("paraphe_events_total", kind="job.succeeded") == 2)
    assert notifier.value("paraphe_events_total", kind="job.queued") == 2
    assert stories.outbox(Topic.EVENT) == {}


def test_two_notifiers_count_each_event_once(stories: Stories, publisher: Publisher, start: Start) -> None:
    notifiers = [start(), start()]
    for _ in range(10):
        stories.accept()
    announce(publisher, list(stories.outbox(Topic.EVENT)) * 4)
    wait_for(lambda: unrecorded(stories) == 0)

    def counted() -> float:
        return sum(one.value("paraphe_events_total", kind="job.queued") for one in notifiers)

    wait_for(lambda: counted() >= 10)
    assert counted() == 10


def test_outcomes_become_metrics(stories: Stories, publisher: Publisher, start: Start) -> None:
    notifier = start()
    stories.succeed(stories.claim(stories.accept()), signatures=3)
    stories.fail(stories.claim(stories.accept()), "encrypted_document")
    stories.fail(stories.claim(stories.accept()), "never heard of")
    stories.cancel(stories.accept())
    announce(publisher, list(stories.outbox(Topic.EVENT)))
    wait_for(lambda: notifier.value("paraphe_jobs_total", state="canceled", code="") == 1)
    assert notifier.value("paraphe_jobs_total", state="succeeded", code="") == 1
    assert notifier.value("paraphe_jobs_total", state="failed", code="encrypted_document") == 1
    assert notifier.value("paraphe_jobs_total", state="failed", code="other") == 1
    assert notifier.value("paraphe_job_seconds_count", state="succeeded") == 1
    assert 0 < notifier.value("paraphe_job_seconds_sum", state="succeeded") < 60
    assert notifier.value("paraphe_signatures_found_sum") == 3


def test_what_is_erased_before_it_is_recorded_counts_and_leaves_nothing(
    stories: Stories, publisher: Publisher, start: Start
) -> None:
    """A client that waits for a result may erase the job within the moment that a batch waits for more events."""
    failed, succeeded = stories.accept(), stories.accept()
    stories.fail(stories.claim(failed), "encrypted_document", "The document needs a password.")
    stories.succeed(stories.claim(succeeded), signatures=3)
    for job in (failed, succeeded):
        stories.do(lambda c, job=job: jobs.erase(c, Actor(stories.client.id), job.id, stories.settings))
    assert "password" not in str(stories.do(lambda c: events.of_job(c, failed.id))), "only figures outlive the job"
    notifier = start()
    announce(publisher, list(stories.outbox(Topic.EVENT)))
    wait_for(lambda: notifier.value("paraphe_events_total", kind="job.erased") == 2)
    assert notifier.value("paraphe_jobs_total", state="failed", code="other") == 0
    assert notifier.value("paraphe_jobs_total", state="failed", code="encrypted_document") == 1
    assert notifier.value("paraphe_job_seconds_count", state="failed") == 1
    assert notifier.value("paraphe_signatures_found_sum") == 3
    assert notifier.value("paraphe_verdicts_total", model="signatures", version="1", verdict="signed") == 1
    for job in (failed, succeeded):
        assert [one.data for one in stories.do(lambda c, job=job: events.of_job(c, job.id))] == [{}] * 4


def test_nobody_is_told_to_try_an_erased_job_again(stories: Stories, publisher: Publisher, start: Start) -> None:
    erased, living = stories.accept(), stories.accept()
    for job in (erased, living):
        stories.fail(stories.claim(job), "internal_error", f"Of {job.id}.")
    stories.do(lambda c: jobs.erase(c, Actor(stories.client.id), erased.id, stories.settings))
    start(mail=MailSettings(host="127.0.0.1", port=1, admin_addresses=("admin@example.org",)))
    announce(publisher, list(stories.outbox(Topic.EVENT)))
    wait_for(lambda: unrecorded(stories) == 0)
    incidents = stories.do(lambda c: c.execute(text("select subject from incidents")).scalars().all())
    notices = stories.do(lambda c: c.execute(text("select notice->>'job_id' from deliveries")).scalars().all())
    assert (incidents, notices) == ([living.id], [str(living.id)])


def test_messages_that_are_none_are_dropped_and_the_next_ones_taken(
    stories: Stories, publisher: Publisher, broker: "redis.Redis", start: Start
) -> None:
    notifier = start()
    with broker_connection(RedisSettings()) as connection:
        send = partial(Producer(connection.channel()).publish, exchange="", routing_key=EVENT_QUEUE)
        for body in ({"event_id": "no id"}, {"other": 1}, ["a"], 7):
            send(body)
        send(b"\x80\x04.", content_type="application/x-python-serialize", content_encoding="binary")
        send("{", content_type="application/json", content_encoding="utf-8", serializer=None)
    wait_for(lambda: notifier.value("paraphe_event_messages_dropped_total") == 6)
    broker.lpush(EVENT_QUEUE, "not even an envelope", json.dumps({"body": "x"}))
    wait_for(lambda: notifier.value("paraphe_event_messages_dropped_total") == 8)
    stories.accept()
    announce(publisher, list(stories.outbox(Topic.EVENT)))
    wait_for(lambda: unrecorded(stories) == 0)


def test_an_event_that_does_not_exist_is_passed_over(stories: Stories, publisher: Publisher, start: Start) -> None:
    start()
    stories.accept()
    announce(publisher, [uuid4(), *stories.outbox(Topic.EVENT), uuid4()])
    wait_for(lambda: unrecorded(stories) == 0)


@pytest.fixture
def repairs(stories: Stories, publisher: Publisher) -> Repairs:
    """The reconciler's part: it sends again what was not recorded."""
    return Repairs(
        stories.engine,
        publisher,
        ObjectStore(ObjectsSettings()),
        ReconcilerMetrics(CollectorRegistry()),
        JobSettings(resend_after_s=0.2),
        RedisSettings(),
    )


def test_a_wiped_broker_loses_no_event(
    stories: Stories, publisher: Publisher, broker: "redis.Redis", start: Start, repairs: Repairs
) -> None:
    stories = Stories(stories.engine, JobSettings(resend_after_s=0.2))
    for _ in range(20):
        stories.accept()
    announce(publisher, list(stories.outbox(Topic.EVENT)))
    broker.flushall()
    notifier = start()
    time.sleep(0.3)
    repairs.send_again()
    wait_for(lambda: unrecorded(stories) == 0)
    broker.flushall()  # while it listens
    stories.accept()
    announce(publisher, list(stories.outbox(Topic.EVENT)))
    wait_for(lambda: notifier.value("paraphe_events_total", kind="job.queued") == 21)


def test_a_restarted_broker_is_found_again(
    stories: Stories, publisher: Publisher, start: Start, servers: Servers
) -> None:
    notifier = start()
    stories.accept()
    announce(publisher, list(stories.outbox(Topic.EVENT)))
    wait_for(lambda: unrecorded(stories) == 0)
    servers.valkey.kill()
    stories.accept()
    servers.valkey.start()
    wait_for(lambda: dispatch.send(publisher, [Message(Topic.EVENT, one) for one in stories.outbox(Topic.EVENT)]))
    wait_for(lambda: notifier.value("paraphe_events_total", kind="job.queued") == 2, within_s=15)


def test_a_batch_taken_while_the_database_restarts_is_recorded_after_it(
    stories: Stories, publisher: Publisher, broker: "redis.Redis", start: Start, servers: Servers
) -> None:
    notifier = start()
    for _ in range(5):
        stories.accept()
    event_ids = list(stories.outbox(Topic.EVENT))
    stories.engine.dispose()
    servers.postgres.stop()
    announce(publisher, event_ids)
    wait_for(lambda: broker.llen(EVENT_QUEUE) == 0)
    servers.postgres.start()
    wait_for(lambda: notifier.value("paraphe_events_total", kind="job.queued") == 5, within_s=15)
    assert unrecorded(stories) == 0


def test_results_and_corrections_are_counted_by_model_version(
    stories: Stories, publisher: Publisher, start: Start
) -> None:
    notifier = start()
    of_model = {"model": "signatures", "version": "1"}
    job, _ = stories.succeeded()
    stories.succeed(stories.claim(stories.accept()), signatures=0)
    stories.correct(job)
    announce(publisher, list(stories.outbox(Topic.EVENT)))
    wait_for(lambda: unrecorded(stories) == 0)
    wait_for(lambda: notifier.value("paraphe_corrected_boxes_total", **of_model, change="removed") == 1)
    for verdict, number in (("signed", 1), ("unsigned", 1), ("review", 0)):
        assert notifier.value("paraphe_verdicts_total", **of_model, verdict=verdict) == number
    assert notifier.value("paraphe_result_pages_total", **of_model) == 4
    shown = notifier.registry.get_sample_value("paraphe_verdicts_total", {**of_model, "verdict": "review"})
    assert shown == 0, "shown from the version's first event on, though there was none"
