"""Jobs brought to where a test needs them, through the real data layer."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, select

from shared.db import correcting, deliveries, delivering, events, jobs, keys, leases
from shared.db.outbox import Message, Topic
from shared.db.tables import outbox
from shared.domain.correction import Author, CorrectionContent
from shared.domain.delivery import Attempt, DueDelivery
from shared.domain.detection import Box, Detection, Kind, Page
from shared.domain.events import EventKind
from shared.domain.ids import new_id
from shared.domain.job import Claim, Document, Job, JobFailure, JobOptions, JobResult, JobState, Priority, Timings
from shared.domain.subscription import Channel
from shared.domain.verdict import Thresholds, decide
from shared.settings import JobSettings


@dataclass
class Stories:
    """One client's jobs. Every method is a transaction of its own, as in the services."""

    engine: Engine
    settings: JobSettings = field(default_factory=JobSettings)
    client_name: str = "acme"
    client: keys.Client = field(init=False)

    def __post_init__(self) -> None:
        with self.engine.begin() as connection:
            self.client = keys.ensure_client(connection, self.client_name)

    def accept(
        self,
        *,
        callback_url: str | None = None,
        metadata: dict[str, Any] | None = None,
        priority: Priority = Priority.NORMAL,
    ) -> Job:
        document = Document(new_id(), self.client.id, "ab" * 32, 3, "image/png", "scan.png")
        options = JobOptions(callback_url=callback_url, metadata=metadata or {}, priority=priority)
        with self.engine.begin() as connection:
            return jobs.accept(connection, jobs.NewJob(document, "signatures", options), self.settings).job

    def claim(self, job: Job) -> Claim:
        with self.engine.begin() as connection:
            claimed = leases.claim(connection, job.id, self.settings)
        assert claimed is not None
        return claimed[0]

    def succeed(self, claim: Claim, signatures: int = 1) -> list[Message]:
        with self.engine.begin() as connection:
            return leases.succeed(connection, claim, result_with(signatures), self.settings)

    def fail(self, claim: Claim, code: str = "corrupt_document", detail: str = "It is broken.") -> list[Message]:
        with self.engine.begin() as connection:
            return leases.fail(connection, claim, JobFailure(code, detail), self.settings)

    def succeeded(self, **options: Any) -> tuple[Job, UUID]:
        """A succeeded job and the id of its outcome event."""
        job = self.accept(**options)
        return job, self.succeed(self.claim(job))[0].subject

    def cancel(self, job: Job) -> None:
        with self.engine.begin() as connection:
            jobs.cancel(connection, self.client.id, job.id, self.settings)

    def correct(self, job: Job) -> None:
        """Somebody sees no signature on the first page."""
        with self.engine.begin() as connection:
            locked = correcting.lock(connection, job.client_id, job.id)
            content, author = CorrectionContent((), no_signature=True), Author(new_id(), "somebody")
            page = correcting.page_of(locked, 1)
            correcting.save(connection, locked, page, content, author, None, self.settings)

    def expire(self) -> list[Message]:
        with self.engine.begin() as connection:
            return leases.expire(connection, self.settings)

    def record(self, event_id: UUID) -> None:
        """As the notifier does."""
        with self.engine.begin() as connection:
            wanted = deliveries.wanted(connection, [event_id])
            events.record(connection, [event_id])
            deliveries.create(connection, wanted)

    def to_deliver(self, *urls: str) -> None:
        """A pending delivery to each URL."""
        for url in urls:
            self.record(self.succeeded(callback_url=url)[1])

    def take_due(self, channel: Channel = Channel.WEBHOOK, **options: Any) -> list[DueDelivery]:
        options = {"limit": 100, "per_receiver": 100, "busy": {}, "lease_s": 60.0, **options}
        with self.engine.begin() as connection:
            return delivering.take_due(connection, channel, **options)

    def now(self, job: Job) -> Job:
        with self.engine.begin() as connection:
            return jobs.get(connection, self.client.id, job.id, with_result=True)

    def kinds(self, job: Job) -> list[EventKind]:
        with self.engine.begin() as connection:
            return [event.kind for event in events.of_job(connection, job.id)]

    def state(self, job: Job) -> JobState:
        return self.now(job).state

    def outbox(self, topic: Topic) -> dict[UUID, int]:
        """Subject and number of sends of each row."""
        with self.engine.begin() as connection:
            rows = connection.execute(select(outbox.c.subject, outbox.c.sends).where(outbox.c.topic == topic))
            return {row.subject: row.sends for row in rows}

    def do(self, work: Callable[[Connection], Any]) -> Any:
        with self.engine.begin() as connection:
            return work(connection)


def result_with(signatures: int) -> JobResult:
    found = tuple(
        Detection(f"p1-{number}", Kind.SIGNATURE, 0.9, Box(10.0 * number, 20, 30, 40)) for number in range(signatures)
    )
    pages = (Page(1, 1000, 1400, found), Page(2, 1000, 1400, ()))
    decision = decide(pages, JobOptions().requirements, Thresholds(0.5, 0.25))
    return JobResult(decision, pages, "signatures", "1", Timings(1, 2, 3, 4, 5))


def attempt(status: int | None = 200, error: str | None = None) -> Attempt:
    succeeded = status is not None and 200 <= status < 300
    return Attempt(datetime.now(UTC), status, error, 12.5, succeeded)


def wait_for(condition: Callable[[], Any], within_s: float = 30.0) -> Any:
    """The condition's first truthy value; fails when there is none in time."""
    deadline = time.monotonic() + within_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.02)
    return value
