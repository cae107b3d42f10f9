"""Starts one detector worker: ``python -m services.detector``.

SIGTERM drains: no more jobs are taken, those held are finished; whatever is not finished by the set time is given
back to the queue without counting the attempt. A worker that broke (a GPU's fault, mostly) gives everything back at
once and ends, to be started anew.
"""

import logging
import os
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any, NoReturn

import structlog
from celery import Celery, signals
from sqlalchemy import Engine

from services.detector.attendance import Attendance
from services.detector.examination import Examiner
from services.detector.lease_keeper import LeaseKeeper
from services.detector.models import Models
from services.detector.settings import DetectorSettings
from services.detector.tasks import ExamineTask
from shared.db import leases
from shared.db.engine import make_engine, transact
from shared.domain.errors import LeaseLostError, ParapheError
from shared.objects import ObjectStore
from shared.pages.renderer import Renderer
from shared.queue import DETECT_QUEUE, EXAMINE_TASK, Publisher, make_celery
from shared.scratch import scratch_folder
from shared.settings import JobSettings
from shared.telemetry import configure_logging, serve_metrics
from shared.tracing import TracingSettings, configure_tracing

log = structlog.get_logger(__name__)

_EXIT_UNFINISHED = 3
_EXIT_BROKEN = 4


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    settings = DetectorSettings()
    configure_logging("detector", settings.log)
    configure_tracing("detector", TracingSettings())
    serve_metrics(settings.worker.metrics_port, settings.worker.metrics_host)
    with ExitStack() as stack:
        stack.enter_context(scratch_folder())
        renderer = stack.enter_context(Renderer(settings.worker.renderers))
        models = stack.enter_context(Models(settings.models, settings.worker))
        models.get(settings.models.default)  # load now: a worker without its model must not take jobs
        engine = make_engine(settings.postgres)
        publisher = Publisher(settings.redis)
        keeper = LeaseKeeper(engine, settings.jobs)
        keeper.start()
        stack.callback(keeper.stop)
        attendance = Attendance(engine, keeper, models, settings.worker.threads, settings.jobs.heartbeat_s)
        attendance.start()
        stack.callback(attendance.stop)
        examiner = Examiner(ObjectStore(settings.objects), renderer, models, settings.limits.rendering())
        app = make_celery(settings.redis)
        leave = partial(_give_back_and_exit, engine, keeper, settings.jobs)
        _register(app, ExamineTask(engine, publisher, keeper, examiner, settings.jobs, partial(leave, _EXIT_BROKEN)))
        _leave_after(settings.worker.drain_s, keeper, partial(leave, _EXIT_UNFINISHED))
        _run(app, settings.worker.threads)


def _register(app: Celery, task: ExamineTask) -> None:
    @app.task(name=EXAMINE_TASK)
    def examine(job_id: str) -> None:
        task(job_id)


def _give_back_and_exit(engine: Engine, keeper: LeaseKeeper, settings: JobSettings, status: int) -> NoReturn:
    """Give back what is held, uncounted, and end. Threads at work are not told: freed, they would take the next job."""
    keeper.stop()  # it would find the jobs given back to be lost, and tell
    try:
        for held in keeper.held():
            with suppress(LeaseLostError, ParapheError):
                transact(engine, partial(leases.release, claimed=held.claim, settings=settings))
                log.warning("given back unfinished", job_id=str(held.claim.job.id))
    finally:
        os._exit(status)


def _leave_after(seconds: float, keeper: LeaseKeeper, leave: Callable[[], NoReturn]) -> None:
    """Once a shutdown begins, leave after ``seconds``, whatever is not finished by then."""

    def on_shutdown(**_: Any) -> None:
        log.info("draining", held=len(keeper.held()), seconds=seconds)
        timer = threading.Timer(seconds, leave)
        timer.daemon = True
        timer.start()

    signals.worker_shutting_down.connect(on_shutdown, weak=False)


def _run(app: Celery, threads: int) -> None:
    # Celery would put its own handlers on the root logger.
    signals.setup_logging.connect(lambda **_: None, weak=False)
    for chatter in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(chatter).setLevel(logging.WARNING)  # our own lines say more, with the job's id
    worker = app.Worker(
        pool="threads",
        concurrency=threads,
        queues=[DETECT_QUEUE],
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
        # With the event loop, an acknowledgement that a thread sends over a broken connection takes the socket out
        # of the loop's sight: the worker never learns that Redis went away and waits for ever.
        use_eventloop=False,
    )
    worker.start()
    sys.exit(worker.exitcode)
