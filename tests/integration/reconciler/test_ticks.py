"""When each loop last did its work, as the alert on a reconciler that stands still sees it."""

import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import text

from shared.db import uploads
from shared.db.engine import lift_limits
from shared.db.locks import AdvisoryLock
from tests.integration.db.stories import Stories, wait_for
from tests.integration.reconciler.conftest import RunningReconciler
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


def test_who_lost_the_lead_shows_no_ticks_that_grow_old(stories: Stories, start: Start) -> None:
    reconciler = start()
    wait_for(lambda: all(reconciler.last_tick(loop) for loop in LOOPS))
    # Ends the session that holds the lead, and is the next in the queue for it.
    take_over = text(
        "select pg_terminate_backend(pid), pg_advisory_lock(:lock) from pg_locks"
        " where locktype = 'advisory' and objid = :lock and granted"
    )
    with stories.engine.begin() as connection:
        lift_limits(connection)
        connection.execute(take_over, {"lock": AdvisoryLock.RECONCILER})
        wait_for(lambda: all(reconciler.last_tick(loop) is None for loop in LOOPS))
        connection.execute(text("select pg_advisory_unlock(:lock)"), {"lock": AdvisoryLock.RECONCILER})
    wait_for(lambda: all(reconciler.last_tick(loop) for loop in LOOPS))
