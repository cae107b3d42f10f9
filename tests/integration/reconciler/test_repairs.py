"""What a reconciler repairs, seen from the broker, the database and the object store."""

import io
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from services.reconciler import repairs
from services.reconciler.metrics import ReconcilerMetrics
from services.reconciler.repairs import Repairs
from shared import dispatch
from shared.db import uploads
from shared.db.outbox import Message, Topic
from shared.domain.errors import ErrorCode
from shared.domain.events import EventKind
from shared.domain.job import Job, JobState
from shared.objects import ObjectMissingError, ObjectStore
from shared.queue import DETECT_QUEUE, EVENT_QUEUE, Publisher
from shared.settings import RedisSettings
from tests.integration.db.stories import Stories, wait_for
from tests.integration.reconciler.conftest import QUICK, Broker, RunningReconciler
from tests.servers import Servers

Start = Callable[[], RunningReconciler]


def accept_and_send(stories: Stories, number: int) -> list[Job]:
    accepted = [stories.accept() for _ in range(number)]
    events = [Message(Topic.EVENT, subject) for subject in stories.outbox(Topic.EVENT)]
    messages = [Message(Topic.JOB, job.id) for job in accepted] + events
    assert dispatch.send(Publisher(RedisSettings()), messages) == 2 * number
    return accepted


def test_a_wiped_broker_gets_everything_again_and_nothing_twice(stories: Stories, broker: Broker, start: Start) -> None:
    accept_and_send(stories, 30)
    broker.wipe()
    start()
    wait_for(lambda: broker.held(DETECT_QUEUE) == broker.held(EVENT_QUEUE) == 30)
    time.sleep(1.2)  # twice the time after which a message counts as possibly lost
    assert (broker.held(DETECT_QUEUE), broker.held(EVENT_QUEUE)) == (30, 30)


def test_lost_events_do_not_wait_until_all_lost_jobs_are_sent(
    stories: Stories, broker: Broker, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repairs, "_BATCH", 5)
    accept_and_send(stories, 15)
    broker.wipe()
    time.sleep(QUICK.resend_after_s)
    metrics = ReconcilerMetrics(CollectorRegistry())
    by_hand = Repairs(stories.engine, Publisher(RedisSettings()), store, metrics, QUICK, RedisSettings())
    more = by_hand.send_again()
    assert (broker.held(DETECT_QUEUE), broker.held(EVENT_QUEUE)) == (5, 5)
    assert more


def test_a_long_healthy_backlog_is_not_multiplied(stories: Stories, broker: Broker, start: Start) -> None:
    accept_and_send(stories, 20)
    reconciler = start()
    wait_for(lambda: reconciler.leads)
    time.sleep(1.5)
    assert (broker.held(DETECT_QUEUE), broker.held(EVENT_QUEUE)) == (20, 20)
    assert reconciler.value("paraphe_reconciler_messages_sent_total", topic="job") == 0


def test_a_job_of_a_silent_worker_is_sent_again(stories: Stories, broker: Broker, start: Start) -> None:
    job = stories.accept()
    stories.claim(job)
    reconciler = start()
    wait_for(lambda: broker.held(DETECT_QUEUE) == 1)
    assert stories.state(job) is JobState.QUEUED
    assert reconciler.value("paraphe_leases_expired_total") == 1


def test_a_job_that_kills_every_worker_ends_failed(stories: Stories, start: Start) -> None:
    job = stories.accept()
    start()
    for _ in range(stories.settings.max_attempts):
        stories.claim(job)
        wait_for(lambda: stories.state(job) is not JobState.PROCESSING)
    failure = stories.now(job).failure
    assert failure is not None
    assert failure.code == ErrorCode.ATTEMPTS_EXHAUSTED
    assert stories.kinds(job).count(EventKind.JOB_FAILED) == 1


def test_two_replicas_act_as_one_and_the_second_takes_over(stories: Stories, broker: Broker, start: Start) -> None:
    accept_and_send(stories, 20)
    broker.wipe()
    replicas = [start(), start()]
    wait_for(lambda: broker.held(DETECT_QUEUE) == broker.held(EVENT_QUEUE) == 20)
    leader, other = sorted(replicas, key=lambda one: not one.leads)
    sent = "paraphe_reconciler_messages_sent_total"
    wait_for(lambda: leader.value(sent, topic="event") == 20)
    assert (leader.value(sent, topic="job"), other.value(sent, topic="job")) == (20, 0)
    assert not other.leads
    leader.stop()
    wait_for(lambda: other.leads)
    broker.wipe()
    wait_for(lambda: broker.held(DETECT_QUEUE) == 20)


def test_what_is_due_while_the_broker_is_away_is_sent_when_it_is_back(
    stories: Stories, broker: Broker, start: Start, servers: Servers
) -> None:
    servers.valkey.kill()
    accepted = [stories.accept() for _ in range(5)]
    stories.claim(accepted[0])
    start()
    wait_for(lambda: stories.state(accepted[0]) is JobState.QUEUED)  # leases need no broker
    servers.valkey.start()
    wait_for(lambda: broker.held(DETECT_QUEUE) >= 5, within_s=15)


def test_a_restarted_database_is_found_again(stories: Stories, broker: Broker, start: Start, servers: Servers) -> None:
    reconciler = start()
    wait_for(lambda: reconciler.leads)
    servers.postgres.restart()
    wait_for(lambda: reconciler.leads, within_s=15)
    stories.engine.dispose()
    stories.claim(stories.accept())
    wait_for(lambda: broker.held(DETECT_QUEUE) == 1)


def test_an_expired_upload_goes_with_its_object_also_after_an_outage(
    stories: Stories, start: Start, store: ObjectStore, servers: Servers
) -> None:
    expired = stories.do(lambda c: uploads.create(c, stories.client.id, None, timedelta(seconds=-1)))
    kept = stories.do(lambda c: uploads.create(c, stories.client.id, None, timedelta(hours=1)))
    for upload in (expired, kept):
        store.put(upload.object_name, io.BytesIO(b"scan"), 4, "image/png")
    servers.seaweedfs.kill()
    reconciler = start()
    wait_for(lambda: reconciler.leads)
    time.sleep(1.0)
    assert stories.do(lambda c: c.execute(text("select count(*) from uploads")).scalar_one()) == 2
    servers.seaweedfs.start()
    wait_for(lambda: reconciler.value("paraphe_uploads_removed_total") == 1, within_s=20)
    with pytest.raises(ObjectMissingError):
        store.size(expired.object_name)
    assert store.size(kept.object_name) == 4


def test_gauges_tell_the_backlog(stories: Stories, start: Start) -> None:
    held = stories.accept()
    stories.do(lambda c: c.execute(text("update jobs set queued_at = now() - interval '50 s'")))
    reconciler = start()
    wait_for(lambda: reconciler.value("paraphe_jobs", state="queued") == 1)
    assert reconciler.value("paraphe_oldest_queued_job_seconds") == pytest.approx(50, abs=5)
    assert reconciler.value("paraphe_outbox_outstanding", topic="job") == 1
    stories.claim(held)
    wait_for(lambda: reconciler.value("paraphe_jobs", state="processing") == 1)
