"""Documents in the store that no row names: of requests that ended between the two, of erasures the store missed.

A document is stored before its job's transaction, and a name is used once: it holds the id of the job to be. So a
document without a row is either about to get one, or never will. What keeps us from deleting one too many:

* Age. From storing to commit it takes a request less than a minute (statements end after 30 s, a draining gateway after
  ``PARAPHE_GATEWAY_DRAIN_S``); we wait days, counted by the store's own clock from when the bytes were whole.
* The row is asked for twice: when the object is seen, and right before it is deleted. Rows only ever go with their
  object, so one that has no row by then stays without.
* A database that was put back to an earlier day by other means than ``paraphe restore`` does not know the jobs since.
  Their documents, all that is left of them, stay as long as nightly backups do, and longer; and where there are more
  orphans than crashes leave, none is deleted: then it is the rows that are missing, not the objects that are too many.
* Of clients we do not know nothing is touched: perhaps another installation uses the bucket, too.
"""

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

import structlog
from sqlalchemy import Connection, Engine, select

from services.reconciler.metrics import ReconcilerMetrics
from shared.db.engine import transact
from shared.db.tables import clients, documents
from shared.domain.document_name import DOCUMENTS, document_name
from shared.objects import ObjectStore

log = structlog.get_logger(__name__)

_BATCH = 1000
_DELETED_AT_ONCE = 50
_PASS_EVERY_S = 24 * 3600.0
# Of all documents looked at, a hundredth, and however few those are, a hundred.
_CREDIBLE_SHARE, _CREDIBLE = 0.01, 100


class OrphanSweep:
    """One pass through the store a day, in small steps."""

    def __init__(self, engine: Engine, store: ObjectStore, metrics: ReconcilerMetrics, age: timedelta) -> None:
        self._engine, self._store, self._metrics, self._age = engine, store, metrics, age
        self._pass: Iterator[None] | None = None
        self._next_pass = 0.0

    def step(self) -> None:
        """Go on with the pass under way, or begin one if it is time. After a fault it begins anew."""
        if not self._age or time.monotonic() < self._next_pass:
            return
        under_way, self._pass = self._pass or self.run(datetime.now(UTC)), None
        if next(under_way, self) is self:  # it is over
            self._next_pass = time.monotonic() + _PASS_EVERY_S
        else:
            self._pass = under_way

    def run(self, now: datetime) -> Iterator[None]:
        """One pass; stops after every batch."""
        names = self._store.older_than(now - self._age, DOCUMENTS)
        looked_at, orphans = 0, list[str]()
        while batch := list(islice(names, _BATCH)):
            looked_at += len(batch)
            orphans += self._without_row(batch)
            yield
        if len(orphans) > max(_CREDIBLE, looked_at * _CREDIBLE_SHARE):
            self._metrics.orphans_withheld.set(len(orphans))
            log.error("too many documents without a job: none is removed", orphans=len(orphans), looked_at=looked_at)
            return
        self._metrics.orphans_withheld.set(0)
        found = iter(orphans)
        while batch := list(islice(found, _DELETED_AT_ONCE)):
            self._delete(batch)
            yield

    def _delete(self, batch: list[str]) -> None:
        for name in self._without_row(batch):
            self._store.delete(name)
            self._metrics.orphans_removed.inc()
            log.warning("document without a job removed", object=name)

    def _without_row(self, names: Iterable[str]) -> list[str]:
        """Those of known clients that no row names."""
        parsed = {name: found for name in names if (found := document_name(name))}

        def ask(connection: Connection) -> list[str]:
            wanted = {found.client_id for found in parsed.values()}
            known = set(connection.execute(select(clients.c.id).where(clients.c.id.in_(wanted))).scalars())
            ids = [found.job_id for found in parsed.values()]
            named = set(connection.execute(select(documents.c.id).where(documents.c.id.in_(ids))).scalars())
            return [name for name, found in parsed.items() if found.client_id in known and found.job_id not in named]

        return transact(self._engine, ask)
