"""Documents that no job has go once they are old, uploads without a row too; what might still be somebody's stays."""

import io
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, text

from services.reconciler import orphans, service
from services.reconciler.metrics import ReconcilerMetrics
from services.reconciler.orphans import OrphanSweep
from shared.db import jobs, uploads
from shared.db.uploads import Upload, upload_object_name
from shared.domain.ids import new_id
from shared.domain.job import Document, JobOptions
from shared.objects import ObjectMissingError, ObjectStore
from shared.settings import JobSettings
from tests.integration.db.stories import Stories, wait_for
from tests.integration.reconciler.conftest import RunningReconciler, another_leads

AGE = timedelta(days=30)


class Warehouse:
    """Documents in the store, and a sweep that thinks it is a month later."""

    def __init__(self, engine: Engine, stories: Stories, store: ObjectStore) -> None:
        self.engine, self.stories, self.store = engine, stories, store
        self.registry = CollectorRegistry()
        self.sweep = OrphanSweep(engine, store, ReconcilerMetrics(self.registry), AGE)

    def put(self, **different: object) -> Document:
        given = {"id": new_id(), "client_id": self.stories.client.id, "sha256": "cd" * 32, **different}
        document = Document(size=3, media_type="image/png", **given)  # type: ignore[arg-type]
        self.store.put(document.object_name, io.BytesIO(b"abc"), 3, "image/png")
        return document

    def accept(self, document: Document) -> None:
        with self.engine.begin() as connection:
            jobs.accept(connection, jobs.NewJob(document, "signatures", JobOptions()), JobSettings())

    def has(self, document: Document) -> bool:
        try:
            return self.store.size(document.object_name) == 3
        except ObjectMissingError:
            return False

    def promise_upload(self) -> Upload:
        """An address, nothing PUT there yet."""
        with self.engine.begin() as connection:
            return uploads.create(connection, self.stories.client.id, None, timedelta(hours=1))

    def put_upload(self, name: str) -> None:
        self.store.put(name, io.BytesIO(b"abc"), 3, "image/png")

    def uploads(self) -> set[str]:
        return {name for name, _ in self.store.listing("uploads/")}

    def pass_at(self, moment: datetime) -> int:
        """A whole pass; how many steps it took."""
        return sum(1 for _ in self.sweep.run(moment))

    def value(self, name: str) -> float:
        return self.registry.get_sample_value(name) or 0.0


@pytest.fixture
def warehouse(engine: Engine, stories: Stories, store: ObjectStore) -> Warehouse:
    store.delete_under("documents/")
    store.delete_under("uploads/")
    return Warehouse(engine, stories, store)


def a_month_on() -> datetime:
    return datetime.now(UTC) + AGE


def test_an_old_orphan_goes_while_a_young_and_a_named_one_stay(warehouse: Warehouse) -> None:
    orphan, named = warehouse.put(), warehouse.put()
    warehouse.accept(named)
    time.sleep(2.1)  # the store's clock counts in seconds
    now = a_month_on() - timedelta(seconds=1)
    young = warehouse.put()
    warehouse.pass_at(now)
    assert [warehouse.has(one) for one in (orphan, named, young)] == [False, True, True]
    assert warehouse.value("paraphe_orphans_removed_total") == 1


def test_an_upload_that_was_put_when_its_row_had_gone_goes(warehouse: Warehouse) -> None:
    """Its transfer began before the address expired, and ended after the reconciler had been there."""
    late, awaited = warehouse.promise_upload(), warehouse.promise_upload()
    with warehouse.engine.begin() as connection:
        uploads.use_up(connection, late.id)
        assert uploads.take_expired(connection) != []
    strange = upload_object_name(new_id(), new_id())
    for name in (late.object_name, awaited.object_name, strange):
        warehouse.put_upload(name)
    time.sleep(1.1)
    warehouse.pass_at(datetime.now(UTC))
    assert warehouse.uploads() == {late.object_name, awaited.object_name, strange}, "too young to be sure"
    warehouse.pass_at(datetime.now(UTC) + timedelta(hours=1))
    assert warehouse.uploads() == {awaited.object_name, strange}
    assert warehouse.value("paraphe_uploads_removed_total") == 1


def test_one_whose_job_is_committed_meanwhile_stays(warehouse: Warehouse) -> None:
    """It is seen without a row; the row comes before it would be deleted."""
    late = warehouse.put()
    time.sleep(1.1)
    under_way = warehouse.sweep.run(a_month_on())
    next(under_way)
    warehouse.accept(late)
    assert list(under_way) == [None]
    assert warehouse.has(late)


def test_what_an_unfinished_transaction_names_stays_for_its_age(warehouse: Warehouse) -> None:
    """An upload in progress: the bytes are there, the row is not to be seen yet."""
    document = warehouse.put()
    with warehouse.engine.connect() as connection, connection.begin():
        jobs.accept(connection, jobs.NewJob(document, "signatures", JobOptions()), JobSettings())
        warehouse.pass_at(datetime.now(UTC) + timedelta(hours=1))
    assert warehouse.has(document)


def test_other_peoples_objects_stay(warehouse: Warehouse) -> None:
    strange = warehouse.put(client_id=new_id())
    odd = "documents/notes.txt"
    warehouse.store.put(odd, io.BytesIO(b"abc"), 3, "text/plain")
    time.sleep(1.1)
    warehouse.pass_at(a_month_on())
    assert warehouse.has(strange)
    assert warehouse.store.size(odd) == 3


def test_where_most_have_no_job_the_database_is_wrong(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orphans, "_CREDIBLE", 3)
    lost = [warehouse.put() for _ in range(4)]
    time.sleep(1.1)
    warehouse.pass_at(a_month_on())
    assert all(warehouse.has(one) for one in lost)
    assert warehouse.value("paraphe_orphans_withheld") == 4
    warehouse.accept(lost.pop())
    warehouse.pass_at(a_month_on())
    assert not any(warehouse.has(one) for one in lost)
    assert warehouse.value("paraphe_orphans_withheld") == 0


def test_only_who_leads_says_that_documents_have_no_job(
    warehouse: Warehouse, start: Callable[[], RunningReconciler], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who does not would show for ever what it saw when it did."""
    monkeypatch.setattr(orphans, "_CREDIBLE", 3)
    monkeypatch.setattr(service, "OrphanSweep", lambda *given: OrphanSweep(*given[:-1], timedelta(seconds=1)))
    for _ in range(4):
        warehouse.put()
    time.sleep(2.1)
    reconciler = start()
    wait_for(lambda: reconciler.value("paraphe_orphans_withheld") == 4)
    with another_leads(warehouse.engine):
        wait_for(lambda: reconciler.value("paraphe_orphans_withheld") == 0)
    wait_for(lambda: reconciler.value("paraphe_orphans_withheld") == 4)


def test_a_pass_goes_in_small_steps_and_then_rests(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orphans, "_BATCH", 2)
    for _ in range(5):
        warehouse.put()
    time.sleep(1.1)
    assert warehouse.pass_at(a_month_on()) == 3 + 1
    steps = []
    sweep = OrphanSweep(warehouse.engine, warehouse.store, ReconcilerMetrics(CollectorRegistry()), timedelta(seconds=1))
    monkeypatch.setattr(sweep, "run", lambda now: (steps.append(n) for n in range(3)))
    for _ in range(9):
        sweep.step()
    assert steps == [0, 1, 2], "one pass, then no other for a day"


def test_after_a_fault_a_pass_begins_anew(warehouse: Warehouse) -> None:
    warehouse.accept(warehouse.put())
    time.sleep(1.1)
    sweep = OrphanSweep(warehouse.engine, warehouse.store, ReconcilerMetrics(CollectorRegistry()), timedelta(seconds=1))
    with warehouse.engine.begin() as connection:
        connection.execute(text("alter table documents rename to hidden"))
    try:
        with pytest.raises(Exception, match="documents"):
            sweep.step()
    finally:
        with warehouse.engine.begin() as connection:
            connection.execute(text("alter table hidden rename to documents"))
    sweep.step()
    assert sweep._pass is not None


def test_days_of_zero_leave_documents_alone(warehouse: Warehouse) -> None:
    orphan = warehouse.put()
    warehouse.put_upload(upload_object_name(warehouse.stories.client.id, new_id()))
    time.sleep(1.1)
    sweep = OrphanSweep(warehouse.engine, warehouse.store, ReconcilerMetrics(CollectorRegistry()), timedelta())
    list(sweep.run(a_month_on()))
    assert warehouse.has(orphan)
    assert warehouse.uploads() == set()
