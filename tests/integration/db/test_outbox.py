"""The outbox: what is sent again, and when."""

import pytest
from sqlalchemy import Engine

from shared.db import jobs, leases, outbox
from shared.db.audit import Actor
from shared.db.outbox import Message, Topic
from shared.domain.errors import ErrorCode
from shared.domain.job import JobFailure, Priority
from shared.settings import JobSettings
from tests.integration.db.stories import Stories


@pytest.fixture
def overdue(engine: Engine) -> Stories:
    """Messages count as possibly lost at once."""
    return Stories(engine, JobSettings(resend_after_s=0.001, retry_backoff_s=0.001))


def take(stories: Stories, lost_at_most: int, *, resend_after_s: float = 60.0, limit: int = 500) -> list[Message]:
    taken: list[Message] = stories.do(
        lambda connection: outbox.take_due(
            connection, Topic.JOB, lost_at_most=lost_at_most, resend_after_s=resend_after_s, limit=limit
        )
    )
    return taken


def test_nothing_is_sent_again_before_its_time(stories: Stories) -> None:
    stories.accept()
    assert take(stories, lost_at_most=10) == []


def test_nothing_is_sent_again_while_the_broker_holds_all(overdue: Stories) -> None:
    overdue.accept()
    assert take(overdue, lost_at_most=0) == []


def test_no_more_is_sent_again_than_may_be_lost_the_oldest_first(overdue: Stories) -> None:
    accepted = [overdue.accept().id for _ in range(5)]
    assert {message.subject for message in take(overdue, lost_at_most=2)} == set(accepted[:2])


def test_what_was_sent_again_waits_for_its_next_time(overdue: Stories) -> None:
    overdue.accept()
    assert len(take(overdue, lost_at_most=1)) == 1
    assert take(overdue, lost_at_most=1) == []


def test_a_scheduled_message_is_sent_though_nothing_is_lost(overdue: Stories) -> None:
    job = overdue.accept(priority=Priority.BULK)
    claim = overdue.claim(job)
    failure = JobFailure(ErrorCode.STORE_UNAVAILABLE, "away")
    overdue.do(lambda connection: leases.retry(connection, claim, failure, overdue.settings))
    assert take(overdue, lost_at_most=0) == [Message(Topic.JOB, job.id, Priority.BULK)]
    assert take(overdue, lost_at_most=0) == [], "once; from now on it is outstanding like any other"
    assert overdue.do(lambda connection: outbox.outstanding(connection, Topic.JOB)) == 1


def test_a_retry_is_not_sent_before_its_backoff(engine: Engine) -> None:
    stories = Stories(engine, JobSettings(retry_backoff_s=60))
    claim = stories.claim(stories.accept())
    failure = JobFailure(ErrorCode.STORE_UNAVAILABLE, "away")
    stories.do(lambda connection: leases.retry(connection, claim, failure, stories.settings))
    assert take(stories, lost_at_most=5) == []


def test_the_claim_settles_the_message(overdue: Stories) -> None:
    job = overdue.accept()
    overdue.claim(job)
    assert overdue.outbox(Topic.JOB) == {}
    assert take(overdue, lost_at_most=10) == []


def test_whatever_else_ends_a_queued_job_settles_its_message(stories: Stories) -> None:
    canceled, erased = stories.accept(), stories.accept()
    stories.cancel(canceled)
    assert stories.outbox(Topic.JOB).keys() == {erased.id}
    stories.do(lambda c: jobs.erase(c, Actor(stories.client.id), erased.id, stories.settings))
    assert stories.outbox(Topic.JOB) == {}, "it would be sent again for ever"


def test_two_reconcilers_never_take_the_same(overdue: Stories) -> None:
    for _ in range(6):
        overdue.accept()
    with overdue.engine.begin() as one, overdue.engine.begin() as other:
        first = outbox.take_due(one, Topic.JOB, lost_at_most=4, resend_after_s=60)
        second = outbox.take_due(other, Topic.JOB, lost_at_most=4, resend_after_s=60)
    taken = [message.subject for message in first + second]
    assert len(taken) == len(set(taken)) == 6
