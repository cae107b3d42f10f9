"""Accepting and erasing jobs."""

import pytest
from sqlalchemy import Engine, text

from shared.db import backlog, events, jobs, keys, uploads
from shared.db.audit import Actor
from shared.db.outbox import Topic
from shared.domain.errors import NotFoundError
from shared.domain.events import EventKind
from shared.domain.ids import new_id
from shared.domain.job import Document, JobOptions
from tests.integration.db.stories import Stories


def keyed(stories: Stories, fingerprint: str) -> jobs.NewJob:
    document = Document(new_id(), stories.client.id, "cd" * 32, 3, "image/png")
    return jobs.NewJob(document, "signatures", JobOptions(), idempotency_key="order-7", fingerprint=fingerprint)


def test_the_same_idempotency_key_returns_the_first_job(stories: Stories) -> None:
    first = stories.do(lambda connection: jobs.accept(connection, keyed(stories, "one"), stories.settings))
    again = stories.do(lambda connection: jobs.accept(connection, keyed(stories, "one"), stories.settings))
    assert (first.is_new, again.is_new) == (True, False)
    assert again.job.id == first.job.id
    assert len(stories.outbox(Topic.JOB)) == 1
    assert stories.do(lambda c: c.execute(text("select count(*) from documents")).scalar_one()) == 1


def test_the_same_key_for_something_else_is_refused(stories: Stories) -> None:
    stories.do(lambda connection: jobs.accept(connection, keyed(stories, "one"), stories.settings))
    with pytest.raises(jobs.IdempotencyMismatchError):
        stories.do(lambda connection: jobs.accept(connection, keyed(stories, "other"), stories.settings))


def test_acceptance_may_be_repeated_after_a_lost_answer(stories: Stories) -> None:
    new = jobs.NewJob(Document(new_id(), stories.client.id, "ef" * 32, 3, "image/png"), "signatures", JobOptions())
    first = stories.do(lambda connection: jobs.accept(connection, new, stories.settings))
    again = stories.do(lambda connection: jobs.accept(connection, new, stories.settings))
    assert again.job == first.job
    assert stories.kinds(first.job) == [EventKind.JOB_QUEUED]


def test_another_clients_job_does_not_exist(engine: Engine, stories: Stories) -> None:
    job = stories.accept()
    stranger = Stories(engine, client_name="other")
    with pytest.raises(NotFoundError):
        stranger.now(job)
    with pytest.raises(NotFoundError):
        stranger.cancel(job)


def test_erasing_leaves_an_audit_line_an_event_and_nothing_else(stories: Stories) -> None:
    job, outcome = stories.succeeded(callback_url="https://example.com/", metadata={"secret": "x"})
    stories.record(outcome)
    key, _ = stories.do(lambda c: keys.create(c, client_name="acme", name="k", scopes=[keys.Scope.SUBMIT]))
    stories.do(lambda c: jobs.erase(c, Actor(stories.client.id, key.id), job.id, stories.settings))
    with stories.engine.begin() as connection:
        for table in ("jobs", "documents", "job_pages", "detections", "deliveries"):
            assert connection.execute(text(f"select count(*) from {table}")).scalar_one() == 0
    left = stories.do(lambda connection: events.of_job(connection, job.id))
    assert [event.kind for event in left][-1] is EventKind.JOB_ERASED
    assert all(event.data == {} for event in left)
    assert stories.do(lambda c: c.execute(text("select action from audit_lines")).scalars().all()) == ["job.erased"]


def test_backlog_counts_and_ages(stories: Stories) -> None:
    assert stories.do(backlog.measure) == backlog.Backlog(0, 0, 0.0)
    stories.claim(stories.accept())
    waiting = stories.accept()
    stories.accept()
    stories.do(
        lambda c: c.execute(
            text("update jobs set queued_at = now() - interval '90 s' where id = :id"), {"id": waiting.id}
        )
    )
    found = stories.do(backlog.measure)
    assert (found.queued, found.processing) == (2, 1)
    assert found.oldest_queued_s == pytest.approx(90, abs=5)


def test_only_expired_uploads_are_taken_and_once(stories: Stories) -> None:
    stories.do(
        lambda c: c.execute(
            text(
                "insert into uploads (id, client_id, expires_at)"
                " select gen_random_uuid(), :client, now() + cast(age as interval)"
                " from unnest(array['-1 s', '1 h']) as age"
            ),
            {"client": stories.client.id},
        )
    )
    assert len(stories.do(uploads.take_expired)) == 1
    assert stories.do(uploads.take_expired) == []
