"""Tells the administration that this worker is alive, with which models on what, and what it holds."""

import os
import socket
import threading
from contextlib import suppress

from sqlalchemy import Engine

from services.detector.lease_keeper import LeaseKeeper
from services.detector.models import Models
from shared.db import workers
from shared.db.engine import transact
from shared.db.workers import WorkerReport
from shared.domain.errors import ParapheError
from shared.domain.ids import new_id
from shared.loops import EnduringLoop

_LEAVING_PATIENCE_S = 2.0


class Attendance:
    """A thread that reports every ``period_s`` seconds. An outage of the database stops nothing but the reports."""

    def __init__(self, engine: Engine, keeper: LeaseKeeper, models: Models, threads: int, period_s: float) -> None:
        self._engine = engine
        self._keeper = keeper
        self._models = models
        self._threads = threads
        self._id = new_id()
        # Containers name their host after themselves; a machine of one's own may run several workers.
        self._name = f"{socket.gethostname()}/{os.getpid()}"
        self._stopping = threading.Event()
        loop = EnduringLoop("attendance", self._report, period_s=period_s)
        self._thread = threading.Thread(target=loop.run, args=(self._stopping,), name=loop.name, daemon=True)

    def start(self) -> None:
        """Begin reporting."""
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye. Without a database the row stays, and is taken for a worker that fell silent."""
        self._stopping.set()
        self._thread.join(_LEAVING_PATIENCE_S)
        with suppress(ParapheError):
            transact(self._engine, lambda c: workers.leave(c, self._id), patience_s=_LEAVING_PATIENCE_S)

    def _report(self) -> None:
        loaded = self._models.loaded()
        said = WorkerReport(
            id=self._id,
            name=self._name,
            model=", ".join(f"{one.version.name}@{one.version.version}" for one in loaded),
            device=", ".join(sorted({one.device for one in loaded})),
            threads=self._threads,
            job_ids=[held.claim.job.id for held in self._keeper.held()],
        )
        transact(self._engine, lambda connection: workers.report(connection, said))
