"""When each loop last did its work, as the alert on a reconciler that stands still sees it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from services.reconciler import retention
from shared.db import uploads
from shared.domain.job import Job
from shared.objects import ObjectStore
from tests.integration.db.stories import Stories, wait_for
from tests.integration.reconciler.conftest import RunningReconciler, another_leads
from tests.integration.reconciler.test_retention import Archive
from tests.servers import Servers

Start = Callable[[], RunningReconciler]
LOOPS = ("leases", "messages", "uploads", "retention", "records", "orphans", "models")


def test_of_two_replicas_only_the_one_that_leads_ticks(stories: Stories, start: Start) -> None:
    leader = start()
    wait_for(lambda: leader.leads)
    other = start()
    wait_for(lambda: other.value("paraphe_database_bytes"))
    wait_for(lambda: all(leader.last_tick(loop) for loop in LOOPS))
    before = {loop: leader.last_tick(loop) for loop in LOOPS}
    wait_for(lambda: all((leader.last_tick(loop) or 0) > (before[loop] or 0) for loop in LOOPS))
    assert [loop for loop in LOOPS if other.last_tick(loop) is not None] == []


def test_a_loop_that_needs_the_store_stands_still_while_it_is_away_also_after_a_change_of_the_lead(
    stories: Stories, start: Start, servers: Servers
) -> None:
    servers.seaweedfs.kill()
    leader = start()
    wait_for(lambda: leader.leads)
    other = start()
    wait_for(lambda: leader.last_tick("uploads"))
    stories.do(lambda c: uploads.create(c, stories.client.id, None, timedelta(seconds=-1)))
    time.sleep(0.5)  # a look from before it expired may still end
    stands_still_since(leader)
    leader.stop()
    wait_for(lambda: other.last_tick("uploads"))
    stands_still_since(other)


def stands_still_since(leader: RunningReconciler) -> None:
    """Its loop for uploads does not work, and is seen not to; another does."""
    at, others_at = leader.last_tick("uploads"), leader.last_tick("leases")
    assert at is not None
    time.sleep(1.0)
    assert leader.last_tick("uploads") == at
    assert (leader.last_tick("leases") or 0) > (others_at or 0)


def test_a_loop_with_much_to_do_ticks_as_it_goes_and_does_not_rest(
    stories: Stories, store: ObjectStore, start: Callable[..., RunningReconciler], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_BATCH", 1)
    monkeypatch.setenv("PARAPHE_RETENTION_DAYS", "1")
    archive = Archive(stories.engine, stories, store)
    slow, slower, _ = [archive.job(timedelta(days=age)) for age in (4, 3, 2)]
    with held(stories.engine, slower):
        with held(stories.engine, slow):
            reconciler = start(sweep_every_s=600)
            began = wait_for(lambda: reconciler.last_tick("retention"))
        wait_for(lambda: (reconciler.last_tick("retention") or 0) > began)
        assert slower.id in archive.ids()
    wait_for(lambda: not archive.ids())


@contextmanager
def held(engine: Engine, job: Job) -> Iterator[None]:
    """Whoever would erase the job has to wait."""
    with engine.begin() as connection:
        connection.execute(text("select 1 from jobs where id = :id for update"), {"id": job.id})
        yield


def test_who_lost_the_lead_shows_no_ticks_that_grow_old(stories: Stories, start: Start) -> None:
    reconciler = start()
    wait_for(lambda: all(reconciler.last_tick(loop) for loop in LOOPS))
    with another_leads(stories.engine):
        wait_for(lambda: all(reconciler.last_tick(loop) is None for loop in LOOPS))
    wait_for(lambda: all(reconciler.last_tick(loop) for loop in LOOPS))
