"""What a worker would have done to a job, done at once through the data layer."""

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from PIL import Image
from sqlalchemy import Engine, func, insert, select, update

from shared.db import deliveries, leases
from shared.db.tables import deliveries as delivery_rows
from shared.db.tables import delivery_attempts, events, jobs
from shared.domain.delivery import DeliveryState
from shared.domain.detection import Box, Detection, Kind, Page, Tone
from shared.domain.ids import new_id
from shared.domain.job import Claim, JobFailure, JobResult, JobState, Timings
from shared.domain.verdict import Thresholds, decide
from shared.settings import JobSettings

SETTINGS = JobSettings()
SIGNED_PAGE = Page(
    1,
    200,
    300,
    (
        Detection("p1-1", Kind.SIGNATURE, 0.9, Box(20.4, 200.6, 60, 30)),
        Detection("p1-2", Kind.SIGNATURE, 0.3, Box(120, 210, 40, 20)),
        Detection("p1-3", Kind.STAMP, 0.8, Box(100, 20, 50, 50)),
    ),
    Tone.GREY,
)


def png(width: int = 200, height: int = 300, colour: str = "white") -> bytes:
    """A small image."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "PNG")
    return buffer.getvalue()


def claim(engine: Engine, job_id: str) -> Claim:
    with engine.begin() as connection:
        claimed = leases.claim(connection, UUID(job_id), SETTINGS)
    assert claimed is not None
    return claimed[0]


def succeed(engine: Engine, job_id: str, pages: tuple[Page, ...] = (SIGNED_PAGE,)) -> None:
    claimed = claim(engine, job_id)
    decision = decide(pages, claimed.job.options.requirements, Thresholds(0.5, 0.25))
    result = JobResult(decision, pages, claimed.job.model, "1", Timings(1.234, 2, 3, 4, 5))
    with engine.begin() as connection:
        leases.succeed(connection, claimed, result, SETTINGS)


def fail(engine: Engine, job_id: str, code: str = "encrypted_document") -> None:
    claimed = claim(engine, job_id)
    with engine.begin() as connection:
        leases.fail(connection, claimed, JobFailure(code, "It is encrypted; remove the password."), SETTINGS)


def give_up_deliveries(engine: Engine, status: int = 503) -> list[UUID]:
    """The notifier's part: every event's deliveries are made, tried once, and given up; their ids."""
    with engine.begin() as connection:
        told = connection.execute(select(events.c.id)).scalars().all()
        deliveries.create(connection, deliveries.wanted(connection, told))
        given_up = update(delivery_rows).values(state=DeliveryState.FAILED, attempts=1, finished_at=func.now())
        ids = connection.execute(given_up.returning(delivery_rows.c.id)).scalars().all()
        tried = {"status": status, "milliseconds": 12, "succeeded": False}
        connection.execute(insert(delivery_attempts), [{"id": new_id(), "delivery_id": one, **tried} for one in ids])
    return list(ids)


@contextmanager
def working(engine: Engine, *, after_s: float = 0.0) -> Iterator[None]:
    """Meanwhile every queued job succeeds, ``after_s`` from now on."""
    stopped = threading.Event()

    def work() -> None:
        stopped.wait(after_s)
        while not stopped.wait(0.05):
            with engine.connect() as connection:
                queued = connection.execute(select(jobs.c.id).where(jobs.c.state == JobState.QUEUED)).scalars().all()
            for job_id in queued:
                succeed(engine, str(job_id))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(10)


def wait_for(look: Callable[[], bool], seconds: float = 10) -> None:
    """Until ``look()`` is true."""
    end = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < end, "not within the time"
        time.sleep(0.02)
