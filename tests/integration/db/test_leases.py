"""Leases: who may write a job's outcome. The state machine's rules, asked of a real database."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, event, func, select, update

from shared.db import events, jobs, leases
from shared.db.outbox import Topic
from shared.db.tables import jobs as job_rows
from shared.db.tables import outbox
from shared.domain.errors import ConflictError, ErrorCode, LeaseLostError
from shared.domain.events import EventKind
from shared.domain.job import Claim, JobFailure, JobState
from shared.settings import JobSettings
from tests.integration.db.stories import Stories

BROKEN_STORE = JobFailure(ErrorCode.STORE_UNAVAILABLE, "The store is away.")


@pytest.fixture
def hasty(engine: Engine) -> Stories:
    """Leases that run out while one blinks."""
    return Stories(engine, JobSettings(lease_s=0.01, max_attempts=2))


def test_of_many_workers_one_gets_the_job(stories: Stories) -> None:
    job = stories.accept()

    def claim(_: int) -> bool:
        return stories.do(lambda connection: leases.claim(connection, job.id, stories.settings)) is not None

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, range(8))) == 1
    assert stories.now(job).attempts == 1
    assert stories.kinds(job) == [EventKind.JOB_QUEUED, EventKind.JOB_STARTED]


def test_a_repeat_delivery_finds_nothing_to_claim(stories: Stories) -> None:
    job, _ = stories.succeeded()
    assert stories.do(lambda connection: leases.claim(connection, job.id, stories.settings)) is None
    assert stories.now(job).attempts == 1


def test_a_repeat_delivery_leaves_the_message_of_a_job_that_is_queued_again_meanwhile(stories: Stories) -> None:
    job = stories.accept()
    held = stories.claim(job)
    with stories.engine.begin() as repeat:
        # Its look at the row finds the job at work; the worker gives the job back before anything else happens.
        event.listen(repeat, "after_cursor_execute", lambda *_: give_back(stories, held), once=True)
        assert leases.claim(repeat, job.id, stories.settings) is None
    assert stories.state(job) is JobState.QUEUED
    assert stories.outbox(Topic.JOB) == {job.id: 0}, "nobody would ever examine it"


def test_a_message_for_no_job_finds_nothing_to_claim(stories: Stories) -> None:
    assert stories.do(lambda connection: leases.claim(connection, uuid4(), stories.settings)) is None


def test_the_outcome_is_written_whole(stories: Stories) -> None:
    job = stories.accept()
    stories.succeed(stories.claim(job), signatures=2)
    done = stories.now(job)
    assert (done.state, done.verdict, done.signature_count) == (JobState.SUCCEEDED, "signed", 2)
    assert done.result is not None
    assert [len(page.detections) for page in done.result.pages] == [2, 0]
    assert stories.kinds(job)[-1] is EventKind.JOB_SUCCEEDED


def test_an_expired_lease_queues_the_job_again(hasty: Stories) -> None:
    job = hasty.accept()
    hasty.claim(job)
    time.sleep(0.05)
    messages = hasty.expire()
    assert [message.topic for message in messages] == [Topic.EVENT]
    assert hasty.state(job) is JobState.QUEUED
    assert hasty.outbox(Topic.JOB) == {job.id: 0}, "to be sent by the reconciler, at once"
    assert hasty.kinds(job)[-1] is EventKind.JOB_REQUEUED


def test_attempts_used_up_by_lost_workers_fail_the_job(hasty: Stories) -> None:
    job = hasty.accept()
    for _ in range(2):
        hasty.claim(job)
        time.sleep(0.05)
        hasty.expire()
    done = hasty.now(job)
    assert done.state is JobState.FAILED
    assert done.failure is not None
    assert done.failure.code == ErrorCode.ATTEMPTS_EXHAUSTED
    assert hasty.kinds(job).count(EventKind.JOB_FAILED) == 1
    assert hasty.outbox(Topic.JOB) == {}, "nobody is to work on it any more"


def test_a_lease_that_is_renewed_does_not_expire(engine: Engine) -> None:
    stories = Stories(engine, JobSettings(lease_s=0.4))
    job = stories.accept()
    held = stories.claim(job)
    for _ in range(3):
        time.sleep(0.2)
        renewed = stories.do(lambda connection: leases.renew(connection, [(job.id, held.token)], stories.settings))
        assert renewed == {job.id}
        assert stories.expire() == []
    assert stories.state(job) is JobState.PROCESSING


def test_renewing_tells_which_leases_are_lost(stories: Stories) -> None:
    kept, canceled = stories.accept(), stories.accept()
    tokens: list[tuple[UUID, UUID]] = [(job.id, stories.claim(job).token) for job in (kept, canceled)]
    stories.cancel(canceled)
    assert stories.do(lambda connection: leases.renew(connection, tokens, stories.settings)) == {kept.id}


def write_success(stories: Stories, claim: Claim) -> None:
    stories.succeed(claim)


def write_failure(stories: Stories, claim: Claim) -> None:
    stories.fail(claim)


def ask_for_retry(stories: Stories, claim: Claim) -> None:
    stories.do(lambda connection: leases.retry(connection, claim, BROKEN_STORE, stories.settings))


def give_back(stories: Stories, claim: Claim) -> None:
    stories.do(lambda connection: leases.release(connection, claim, stories.settings))


Ending = Callable[[Stories, Claim], None]
ENDINGS: list[Ending] = [write_success, write_failure, ask_for_retry, give_back]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_worker_that_lost_its_lease_writes_nothing(hasty: Stories, ending: Ending) -> None:
    job = hasty.accept()
    lost = hasty.claim(job)
    time.sleep(0.05)
    hasty.expire()
    second = hasty.claim(job)
    before = (hasty.now(job), hasty.kinds(job))
    with pytest.raises(LeaseLostError):
        ending(hasty, lost)
    assert (hasty.now(job), hasty.kinds(job)) == before
    hasty.succeed(second)
    assert hasty.kinds(job).count(EventKind.JOB_SUCCEEDED) == 1


@pytest.mark.parametrize("ending", ENDINGS)
def test_cancel_takes_the_lease_away(stories: Stories, ending: Ending) -> None:
    job = stories.accept()
    claim = stories.claim(job)
    stories.cancel(job)
    with pytest.raises(LeaseLostError):
        ending(stories, claim)
    assert stories.state(job) is JobState.CANCELED
    assert stories.kinds(job) == [EventKind.JOB_QUEUED, EventKind.JOB_STARTED, EventKind.JOB_CANCELED]


def test_a_canceled_job_is_not_claimed(stories: Stories) -> None:
    job = stories.accept()
    stories.cancel(job)
    assert stories.do(lambda connection: leases.claim(connection, job.id, stories.settings)) is None
    assert stories.outbox(Topic.JOB) == {}


def test_cancel_after_the_outcome_is_a_conflict(stories: Stories) -> None:
    job, _ = stories.succeeded()
    with pytest.raises(ConflictError, match="succeeded"):
        stories.cancel(job)


def test_a_retry_waits_twice_as_long_each_time(engine: Engine) -> None:
    stories = Stories(engine, JobSettings(max_attempts=9, retry_backoff_s=10))
    job = stories.accept()
    waits = []
    wait = select(outbox.c.send_after - func.now()).where(outbox.c.topic == Topic.JOB)
    for _ in range(3):
        ask_for_retry(stories, stories.claim(job))
        assert stories.state(job) is JobState.QUEUED
        waits.append(stories.do(lambda connection: connection.execute(wait).scalar_one()))
    assert [round(wait.total_seconds()) for wait in waits] == [10, 20, 40]


def test_a_retry_after_the_last_attempt_fails_the_job(engine: Engine) -> None:
    stories = Stories(engine, JobSettings(max_attempts=1))
    job = stories.accept()
    ask_for_retry(stories, stories.claim(job))
    done = stories.now(job)
    assert (done.state, done.attempts, done.failure) == (JobState.FAILED, 1, BROKEN_STORE)
    assert stories.kinds(job)[-1] is EventKind.JOB_FAILED


def test_giving_back_does_not_count_the_attempt(stories: Stories) -> None:
    job = stories.accept()
    give_back(stories, stories.claim(job))
    assert (stories.state(job), stories.now(job).attempts) == (JobState.QUEUED, 0)
    assert stories.claim(job).job.attempts == 1


def test_a_replay_is_a_new_run_with_all_its_attempts(stories: Stories) -> None:
    job = stories.accept()
    stories.fail(stories.claim(job))
    stories.do(lambda c: c.execute(update(job_rows).values(created_at=func.now() - timedelta(days=3))))
    stories.do(lambda connection: jobs.replay(connection, stories.client.id, job.id, stories.settings))
    again = stories.now(job)
    assert (again.state, again.attempts, again.failure) == (JobState.QUEUED, 0, None)
    stories.succeed(stories.claim(job))
    assert stories.state(job) is JobState.SUCCEEDED
    outcome = stories.do(lambda connection: events.of_job(connection, job.id))[-1]
    assert 0 < outcome.data["seconds"] < 60, "a replay's time counts from its order, not from the first acceptance"
