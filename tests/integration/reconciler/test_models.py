"""Hours of results summed up once, and models compared with their own past."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, select, text

from services.reconciler.metrics import ReconcilerMetrics
from services.reconciler.model_watch import ModelWatch
from shared.db import correcting, jobs, leases
from shared.db.audit import Actor
from shared.db.tables import model_hours
from shared.domain.correction import Author, CorrectedBox, CorrectionContent
from shared.domain.detection import Box, Detection, Kind, Page
from shared.domain.ids import first_id_at, new_id
from shared.domain.job import Job
from shared.settings import JobSettings
from tests.integration.db.stories import Stories, result_with

THIS_HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
SOMEBODY = Author(uuid4(), "somebody")


class Archive:
    """Jobs examined and corrected at given times, and a watch over them."""

    def __init__(self, engine: Engine, stories: Stories) -> None:
        self.engine, self.stories = engine, stories
        self.registry = CollectorRegistry()
        self.watch = ModelWatch(engine, ReconcilerMetrics(self.registry))

    def examined(self, age: timedelta, confidences: Sequence[float] = (0.95,), version: str = "1") -> Job:
        """A job of two pages, with its signatures on the first."""
        found = [Detection(f"p1-{n}", Kind.SIGNATURE, one, Box(10, 10, 20, 9)) for n, one in enumerate(confidences)]
        stamp = Detection("stamp", Kind.STAMP, 0.55, Box(50, 50, 9, 9))
        pages = (Page(1, 1000, 1400, (*found, stamp)), Page(2, 1000, 1400))
        claim = self.stories.claim(self.stories.accept())
        result = replace(result_with(0), pages=pages, model_version=version)
        with self.engine.begin() as connection:
            event = leases.succeed(connection, claim, result, JobSettings())[0]
        self.move(event.subject, age)
        return self.stories.now(claim.job)

    def corrected(self, job: Job, age: timedelta, *, is_change: bool = True) -> None:
        with self.engine.begin() as connection:
            locked = correcting.lock(connection, job.client_id, job.id)
            page = correcting.page_of(locked, 1)
            boxes = [CorrectedBox(one.kind, one.box, one.id) for one in page.detections]
            content = CorrectionContent((*boxes, boxes[0]) if is_change else tuple(boxes), no_signature=False)
            _, [event] = correcting.save(connection, locked, page, content, SOMEBODY, None, JobSettings())
        self.move(event.subject, age)

    def move(self, event_id: object, age: timedelta) -> None:
        """As if the event had been that long ago."""
        then = first_id_at(THIS_HOUR, timedelta(minutes=30) - age).int | new_id().int & (1 << 80) - 1
        with self.engine.begin() as connection:
            connection.execute(
                text("update events set id = :then where id = :id"), {"then": f"{then:032x}", "id": event_id}
            )

    def rows(self) -> list[tuple[str, datetime, int, int, list[int]]]:
        with self.engine.connect() as connection:
            found = connection.execute(select(model_hours).order_by(model_hours.c.hour, model_hours.c.version))
            return [(row.version, row.hour, row.pages, row.changed_pages, row.confidences) for row in found]

    def gauge(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, {"model": "signatures", "version": "1", **labels})

    def remember(self, age: timedelta, pages: int, changed: int, confidences: Sequence[int]) -> None:
        """An hour summed up before."""
        with self.engine.begin() as connection:
            row = (pages, changed, list(confidences))
            names = ("pages", "changed_pages", "confidences")
            hour = {"model": "signatures", "version": "1", "hour": THIS_HOUR - age}
            connection.execute(model_hours.insert().values(**hour, **dict(zip(names, row, strict=True))))


@pytest.fixture
def archive(engine: Engine, stories: Stories) -> Archive:
    return Archive(engine, stories)


def hours(number: int) -> timedelta:
    return timedelta(hours=number)


def test_hours_that_are_over_are_summed_up_once(archive: Archive) -> None:
    archive.examined(hours(50), [0.1, 0.19, 1.0])
    archive.examined(hours(50), [0.999])
    archive.examined(hours(3), [0.5], version="2")
    archive.watch.sum_up()
    archive.watch.sum_up()
    assert archive.rows() == [
        ("1", THIS_HOUR - hours(50), 4, 0, [0, 2, 0, 0, 0, 0, 0, 0, 0, 2]),
        ("2", THIS_HOUR - hours(3), 2, 0, [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]),
    ]


def test_an_hour_that_is_not_over_waits(archive: Archive) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    archive.examined(THIS_HOUR - now)  # the hour may have turned since the tests were collected
    archive.watch.sum_up()
    assert archive.rows() == []


def test_what_is_older_than_all_that_is_compared_is_left(archive: Archive) -> None:
    archive.examined(timedelta(days=40))
    archive.watch.sum_up()
    assert archive.rows() == []


def test_pages_that_people_changed(archive: Archive) -> None:
    twice, confirmed = archive.examined(hours(9)), archive.examined(hours(9))
    for _ in range(2):
        archive.corrected(twice, hours(5))
    archive.corrected(confirmed, hours(5), is_change=False)
    archive.watch.sum_up()
    assert [row[1:4] for row in archive.rows()] == [
        (THIS_HOUR - hours(9), 4, 0),
        (THIS_HOUR - hours(5), 0, 1),
    ]


def test_jobs_erased_later_still_count(archive: Archive) -> None:
    job = archive.examined(hours(9))
    archive.watch.sum_up()
    with archive.engine.begin() as connection:
        jobs.erase(connection, Actor(job.client_id), job.id, JobSettings())
    archive.watch.sum_up()
    assert len(archive.rows()) == 1


def test_gauges_compare_with_the_weeks_before(archive: Archive) -> None:
    sure, unsure = [0] * 8 + [300, 300], [0, 300, 300] + [0] * 7
    for day in (2, 10, 20, 28):
        archive.remember(timedelta(days=day), 1000, 10, sure)
    archive.watch.measure()
    assert archive.gauge("paraphe_model_confidence_psi") is None, "nothing in the last day"
    assert archive.gauge("paraphe_model_changed_pages_ratio", window="last_week") == 0.01
    assert archive.gauge("paraphe_model_changed_pages_ratio", window="weeks_before") == 0.01
    archive.remember(hours(5), 1000, 190, unsure)
    archive.watch.measure()
    index = archive.gauge("paraphe_model_confidence_psi")
    assert index is not None
    assert index > 1
    assert archive.gauge("paraphe_model_changed_pages_ratio", window="last_week") == 0.1


def test_a_version_nobody_uses_any_more_is_not_shown(archive: Archive) -> None:
    archive.remember(hours(5), 1000, 0, [100] * 10)
    archive.watch.measure()
    assert archive.gauge("paraphe_model_changed_pages_ratio", window="last_week") == 0
    with archive.engine.begin() as connection:
        connection.execute(model_hours.update().values(hour=THIS_HOUR - timedelta(days=9)))
    archive.watch.measure()
    assert archive.gauge("paraphe_model_changed_pages_ratio", window="last_week") is None
