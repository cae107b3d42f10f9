"""What a worker would have done to a job, done at once through the data layer."""

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from PIL import Image
from sqlalchemy import Engine, select

from shared.db import leases
from shared.db.tables import jobs
from shared.domain.detection import Box, Detection, Kind, Page, Tone
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
    result = JobResult(decision, pages, claimed.job.options.model, "1", Timings(1.234, 2, 3, 4, 5))
    with engine.begin() as connection:
        leases.succeed(connection, claimed, result, SETTINGS)


def fail(engine: Engine, job_id: str, code: str = "encrypted_document") -> None:
    claimed = claim(engine, job_id)
    with engine.begin() as connection:
        leases.fail(connection, claimed, JobFailure(code, "It is encrypted; remove the password."), SETTINGS)


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
