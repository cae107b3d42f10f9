"""Events: recorded once, and one outcome a run."""

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg2.extensions
import pytest
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from shared.db import events, jobs
from shared.db.audit import Actor
from shared.db.outbox import Topic
from shared.domain.events import Event, EventKind
from tests.integration.db.stories import Stories, wait_for


def test_an_event_is_recorded_once(stories: Stories) -> None:
    _, event_id = stories.succeeded()
    first = stories.do(lambda connection: events.record(connection, [event_id]))
    again = stories.do(lambda connection: events.record(connection, [event_id]))
    assert [event.kind for event in first] == [EventKind.JOB_SUCCEEDED]
    assert again == []


def test_recording_settles_the_message_also_of_a_repeat(stories: Stories) -> None:
    _, event_id = stories.succeeded()
    assert event_id in stories.outbox(Topic.EVENT)
    stories.do(lambda connection: events.record(connection, [event_id]))
    assert event_id not in stories.outbox(Topic.EVENT)


@pytest.mark.parametrize("erased_first", [True, False])
def test_erased_while_it_is_recorded_an_outcome_counts_and_leaves_nothing(stories: Stories, erased_first: bool) -> None:
    job, event_id = stories.succeeded()

    def erase(connection: Connection) -> None:
        jobs.erase(connection, Actor(stories.client.id), job.id, stories.settings)

    def record(connection: Connection) -> list[Event]:
        return events.record(connection, [event_id])

    one, other = (erase, record) if erased_first else (record, erase)
    with ThreadPoolExecutor(1) as pool:
        with stories.engine.begin() as connection:
            first = one(connection)
            second = pool.submit(stories.do, other)
            time.sleep(0.3)
            assert not second.done(), "it waits for the other's transaction"
        (recorded,) = second.result(10) if erased_first else first or []
    assert (recorded.data["verdict"], recorded.data["count"]) == ("signed", 1)
    assert [event.data for event in stories.do(lambda c: events.of_job(c, job.id))] == [{}] * 4


@pytest.mark.parametrize("second", [EventKind.JOB_SUCCEEDED, EventKind.JOB_FAILED, EventKind.JOB_CANCELED])
def test_the_database_refuses_a_second_outcome_of_a_run(stories: Stories, second: EventKind) -> None:
    job, _ = stories.succeeded()
    with pytest.raises(IntegrityError, match="uq_events_outcome"), stories.engine.begin() as connection:
        events.append(connection, second, job_id=job.id, client_id=stories.client.id, run=1, data={})
    with stories.engine.begin() as connection:
        events.append(connection, second, job_id=job.id, client_id=stories.client.id, run=2, data={})


def test_events_of_a_job_come_in_order_and_after_a_sequence(stories: Stories) -> None:
    job, _ = stories.succeeded()
    all_of_them = stories.do(lambda connection: events.of_job(connection, job.id))
    assert [event.kind for event in all_of_them] == ["job.queued", "job.started", "job.succeeded"]
    after = all_of_them[0].sequence
    later = stories.do(lambda connection: events.of_job(connection, job.id, after_sequence=after))
    assert later == all_of_them[1:]


def test_who_listens_is_told_the_job_at_commit(engine: Engine, stories: Stories) -> None:
    raw = engine.raw_connection()
    try:
        session = raw.driver_connection
        assert session is not None
        session.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_AUTOCOMMIT)
        session.cursor().execute(f"listen {events.NOTIFY_CHANNEL}")
        job = stories.accept()
        told = wait_for(lambda: session.poll() or session.notifies)
        assert [note.payload for note in told] == [str(job.id)]
    finally:
        raw.invalidate()
