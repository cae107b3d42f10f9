"""Retention: what is older than its time goes, whole; what is younger or unfinished stays."""

import io
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, text

from services.reconciler import retention
from services.reconciler.metrics import ReconcilerMetrics
from services.reconciler.retention import Retention
from shared.db import jobs
from shared.domain.ids import first_id_at, new_id
from shared.domain.job import Document, Job, JobOptions
from shared.objects import ObjectMissingError, ObjectStore
from shared.queue import Publisher
from shared.settings import JobSettings, RedisSettings, RetentionSettings
from tests.integration.db.stories import Stories


class Archive:
    """Jobs of a given age, with their documents, and a retention to try on them."""

    def __init__(self, engine: Engine, stories: Stories, store: ObjectStore) -> None:
        self.engine, self.stories, self.store = engine, stories, store

    def job(self, age: timedelta, *, finished: bool = True) -> Job:
        moment = first_id_at(datetime.now(UTC) - age)
        document = Document(
            UUID(int=moment.int | new_id().int & (1 << 80) - 1),
            self.stories.client.id,
            "ab" * 32,
            3,
            "image/png",
            "a.png",
        )
        self.store.put(document.object_name, io.BytesIO(b"abc"), 3, "image/png")
        with self.engine.begin() as connection:
            job = jobs.accept(connection, jobs.NewJob(document, "signatures", JobOptions()), JobSettings()).job
        if finished:
            self.stories.succeed(self.stories.claim(job))
        return job

    def keep_for(self, days: int) -> None:
        metrics = ReconcilerMetrics(CollectorRegistry())
        settings = RetentionSettings(days=days)
        retention = Retention(self.engine, Publisher(RedisSettings()), self.store, metrics, JobSettings(), settings)
        while retention.erase_expired():
            pass

    def ids(self) -> set[UUID]:
        with self.engine.connect() as connection:
            return set(connection.execute(text("select id from jobs")).scalars())

    def is_stored(self, job: Job) -> bool:
        try:
            return self.store.size(job.document.object_name) == 3
        except ObjectMissingError:
            return False


@pytest.fixture
def archive(engine: Engine, stories: Stories, store: ObjectStore) -> Archive:
    return Archive(engine, stories, store)


def test_old_jobs_go_with_document_rows_and_a_line_that_says_why(archive: Archive, engine: Engine) -> None:
    old, young = archive.job(timedelta(days=31)), archive.job(timedelta(days=29))
    archive.keep_for(30)
    assert archive.ids() == {young.id}
    assert not archive.is_stored(old)
    assert archive.is_stored(young)
    with engine.connect() as connection:
        line = connection.execute(text("select action, subject, account_id, key_id, detail from audit_lines")).one()
        left = connection.execute(text("select count(*) from documents")).scalar_one()
        of_old = text("select count(*) from job_pages where job_id = :id")
        pages = connection.execute(of_old, {"id": old.id}).scalar_one()
        told = connection.execute(text("select count(*) from events where kind = 'job.erased'")).scalar_one()
    assert line[:4] == ("job.erased", str(old.id), None, None)
    assert line.detail["because"] == "older than 30 days"
    assert (left, pages, told) == (1, 0, 1)


def test_what_is_not_finished_is_not_taken_away(archive: Archive) -> None:
    waiting = archive.job(timedelta(days=31), finished=False)
    archive.keep_for(30)
    assert archive.ids() == {waiting.id}


def test_more_than_a_batch_goes_batch_by_batch(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_BATCH", 2)
    for _ in range(5):
        archive.job(timedelta(days=2))
    archive.keep_for(1)
    assert archive.ids() == set()


def test_nothing_goes_unless_a_time_is_set(archive: Archive) -> None:
    old = archive.job(timedelta(days=9000))
    archive.keep_for(0)
    assert archive.ids() == {old.id}
