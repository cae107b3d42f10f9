"""Objects in the store that no row names: documents of requests that ended between the two, or of erasures the store
missed; uploads that were still being PUT, or were PUT once more, when their row went.

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

Uploads are simpler: their row is committed before anybody knows the address, and what has none can never become a job.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from uuid import UUID

import structlog
from sqlalchemy import Connection, Engine, Table, select

from services.reconciler.metrics import ReconcilerMetrics
from shared.db.engine import transact
from shared.db.tables import clients, documents, uploads
from shared.db.uploads import UPLOADS, upload_of_object
from shared.domain.document_name import DOCUMENTS, document_name
from shared.objects import ObjectStore

log = structlog.get_logger(__name__)

_BATCH = 1000
_DELETED_AT_ONCE = 50
_PASS_EVERY_S = 24 * 3600.0
# Of all documents looked at, a hundredth, and however few those are, a hundred.
_CREDIBLE_SHARE, _CREDIBLE = 0.01, 100
# More than the clocks of the store and of ours may differ by.
_UPLOAD_AGE = timedelta(hours=1)


class OrphanSweep:
    """One pass through the store a day, in small steps. An ``age`` of 0 leaves documents alone."""

    def __init__(self, engine: Engine, store: ObjectStore, metrics: ReconcilerMetrics, age: timedelta) -> None:
        self._engine, self._store, self._metrics, self._age = engine, store, metrics, age
        self._pass: Iterator[None] | None = None
        self._next_pass = 0.0

    def step(self) -> None:
        """Go on with the pass under way, or begin one if it is time. After a fault it begins anew."""
        if time.monotonic() < self._next_pass:
            return
        under_way, self._pass = self._pass or self.run(datetime.now(UTC)), None
        if next(under_way, self) is self:  # it is over
            self._next_pass = time.monotonic() + _PASS_EVERY_S
        else:
            self._pass = under_way

    def begin_anew(self) -> None:
        """Another reconciler leads: what is withheld it says, and should the lead come back, a pass finds it again."""
        self._pass, self._next_pass = None, 0.0
        self._metrics.orphans_withheld.set(0)

    def run(self, now: datetime) -> Iterator[None]:
        """One pass; stops after every batch."""
        yield from self._sweep_uploads(now - _UPLOAD_AGE)
        if self._age:
            yield from self._sweep_documents(now - self._age)

    def _sweep_uploads(self, written_before: datetime) -> Iterator[None]:
        names = self._store.older_than(written_before, UPLOADS)
        while batch := list(islice(names, _BATCH)):
            for name in self._without_row(batch, upload_of_object, uploads):
                self._store.delete(name)
                self._metrics.uploads_removed.inc()
                log.info("upload without a row removed", object=name)
            yield

    def _sweep_documents(self, written_before: datetime) -> Iterator[None]:
        names = self._store.older_than(written_before, DOCUMENTS)
        looked_at, orphans = 0, list[str]()
        while batch := list(islice(names, _BATCH)):
            looked_at += len(batch)
            orphans += self._without_row(batch, _job_of_object, documents)
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
        for name in self._without_row(batch, _job_of_object, documents):
            self._store.delete(name)
            self._metrics.orphans_removed.inc()
            log.warning("document without a job removed", object=name)

    def _without_row(
        self, names: Iterable[str], read_name: Callable[[str], tuple[UUID, UUID] | None], rows: Table
    ) -> list[str]:
        """Those of known clients whose id no row has. ``read_name`` tells client and id, None for a name not ours."""
        parsed = {name: ids for name in names if (ids := read_name(name))}

        def ask(connection: Connection) -> list[str]:
            wanted = {client_id for client_id, _ in parsed.values()}
            known = set(connection.execute(select(clients.c.id).where(clients.c.id.in_(wanted))).scalars())
            ids = [row_id for _, row_id in parsed.values()]
            named = set(connection.execute(select(rows.c.id).where(rows.c.id.in_(ids))).scalars())
            return [name for name, (client_id, row_id) in parsed.items() if client_id in known and row_id not in named]

        return transact(self._engine, ask)


def _job_of_object(name: str) -> tuple[UUID, UUID] | None:
    found = document_name(name)
    return (found.client_id, found.job_id) if found else None
