"""The one task: claim a job, examine its document, record exactly one outcome of this attempt."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn
from uuid import UUID

import structlog
from sqlalchemy import Connection, Engine

from services.detector import metrics
from services.detector.batcher import BrokenError
from services.detector.examination import Examiner
from services.detector.lease_keeper import HeldJob, LeaseKeeper
from shared import tracing
from shared.db import leases
from shared.db.engine import transact
from shared.db.outbox import Message
from shared.dispatch import send
from shared.domain.detection import Kind
from shared.domain.errors import DocumentError, ErrorCode, LeaseLostError, ParapheError
from shared.domain.job import Claim, JobFailure, JobResult
from shared.queue import Publisher
from shared.settings import JobSettings

log = structlog.get_logger(__name__)

# A database that restarts is back within seconds; recording waits for it, since the work is already done.
_CLAIM_PATIENCE_S = 5.0
_RECORD_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class ExamineTask:
    """Called by Celery with a job's id. Never raises: whatever happens is on the job's row, or the lease runs out.

    ``leave`` gives back all that this process holds and ends it. It is called when no document could be examined here
    any more: a broken worker is the first to be ready for the next job, so it would take and fail them all.
    """

    engine: Engine
    publisher: Publisher
    keeper: LeaseKeeper
    examiner: Examiner
    settings: JobSettings
    leave: Callable[[], NoReturn]
    leaving: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __call__(self, job_id: str) -> None:
        """Carry out one delivery. One that finds nothing to claim is a repeat and is dropped."""
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(job_id=job_id)
        try:
            claim = self._claim(UUID(job_id))
            if claim is None:
                metrics.REPEATS.inc()
                log.info("nothing to claim")
                return
            structlog.contextvars.bind_contextvars(request_id=claim.job.request_id)
            with (
                metrics.HELD.track_inprogress(),
                self.keeper.holding(claim) as held,
                tracing.job_span("examine", claim.job.id, attempt=claim.job.attempts),
            ):
                self._carry_out(held)
        except LeaseLostError:
            metrics.OUTCOMES.labels("lost", "").inc()
            log.info("lease lost, nothing written")
        except ParapheError as error:
            # Not even the failure could be recorded: the message stays in the outbox, or the lease runs out.
            metrics.OUTCOMES.labels("unrecorded", error.code).inc()
            log.warning("attempt left to the reconciler", code=error.code, detail=error.detail)

    def _claim(self, job_id: UUID) -> Claim | None:
        with self.leaving:  # a worker that leaves takes no more
            pass
        metrics.CONSUMING.set_to_current_time()
        taken = transact(
            self.engine,
            lambda connection: leases.claim(connection, job_id, self.settings),
            patience_s=_CLAIM_PATIENCE_S,
        )
        if taken is None:
            return None
        claim, messages = taken
        send(self.publisher, messages)
        tracing.past_span("queued", job_id, claim.job.created_at.timestamp(), time.time())
        return claim

    def _carry_out(self, held: HeldJob) -> None:
        claim = held.claim
        log.info("examining", attempt=claim.job.attempts, media_type=claim.job.document.media_type)
        try:
            with tracing.job_span("detect", claim.job.id, model=claim.job.model):
                result = self.examiner.examine(claim.job, held.check)
        except DocumentError as error:
            self._fail(claim, JobFailure(error.code, error.detail))
        except LeaseLostError:
            raise
        except ParapheError as error:
            self._retry(claim, JobFailure(error.code, error.detail))
        except BrokenError:
            log.exception("nothing can be examined here any more")
            self._leave_after(claim)
        except Exception:
            log.exception("examination broke")
            self._retry(
                claim, JobFailure(ErrorCode.INTERNAL_ERROR, "The examination broke; the worker's log says why.")
            )
        else:
            self._succeed(claim, result)

    def _leave_after(self, claim: Claim) -> NoReturn:
        """Its attempt counts: should this document be what breaks workers, it must not do so for ever."""
        with self.leaving:  # for good: the other jobs' threads, which hear the same, wait here for the end
            try:
                self._retry(claim, JobFailure(ErrorCode.INTERNAL_ERROR, "The worker broke; its log says why."))
            finally:
                self.leave()

    def _succeed(self, claim: Claim, result: JobResult) -> None:
        started = time.perf_counter()
        self._record(lambda connection: leases.succeed(connection, claim, result, self.settings))
        _observe(result, time.perf_counter() - started)
        log.info(
            "succeeded",
            verdict=result.decision.verdict,
            signatures=result.decision.count,
            pages=len(result.pages),
        )

    def _fail(self, claim: Claim, failure: JobFailure) -> None:
        self._record(lambda connection: leases.fail(connection, claim, failure, self.settings))
        metrics.OUTCOMES.labels("failed", failure.code).inc()
        log.info("failed", code=failure.code, detail=failure.detail)

    def _retry(self, claim: Claim, failure: JobFailure) -> None:
        self._record(lambda connection: leases.retry(connection, claim, failure, self.settings))
        metrics.OUTCOMES.labels("retried", failure.code).inc()
        log.warning("attempt failed", code=failure.code, detail=failure.detail, attempt=claim.job.attempts)

    def _record(self, write: Callable[[Connection], list[Message]]) -> None:
        send(self.publisher, transact(self.engine, write, patience_s=_RECORD_PATIENCE_S))


def _observe(result: JobResult, recorded_s: float) -> None:
    metrics.OUTCOMES.labels("succeeded", "").inc()
    metrics.PAGES.inc(len(result.pages))
    confidence = metrics.CONFIDENCE.labels(result.model_name, result.model_version)
    for found in (one for page in result.pages for one in page.detections if one.kind is Kind.SIGNATURE):
        confidence.observe(found.confidence)
    stages = {
        "queued": result.timings.queued / 1000,
        "fetched": result.timings.fetched / 1000,
        "rendered": result.timings.rendered / 1000,
        "inferred": result.timings.inferred / 1000,
        "recorded": recorded_s,
    }
    for stage, seconds in stages.items():
        metrics.STAGE_SECONDS.labels(stage).observe(seconds)
