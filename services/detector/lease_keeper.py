"""Keeps the leases of the jobs this worker holds, and notices the ones it has lost."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from sqlalchemy import Engine

from shared.db import leases
from shared.db.engine import transact
from shared.domain.errors import LeaseLostError, TemporaryError
from shared.domain.job import Claim
from shared.settings import JobSettings

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class HeldJob:
    """A claim this worker works on; ``check`` between steps tells whether it still may."""

    claim: Claim
    _lost: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Raise LeaseLostError once the lease is known to be gone: canceled, erased or taken over."""
        if self._lost.is_set():
            raise LeaseLostError(f"The lease on job {self.claim.job.id} is gone.")

    def give_up(self) -> None:
        """Make every later ``check`` fail."""
        self._lost.set()


class LeaseKeeper:
    """One background thread renews all held leases in one statement every heartbeat."""

    def __init__(self, engine: Engine, settings: JobSettings) -> None:
        self._engine = engine
        self._settings = settings
        self._held: dict[UUID, HeldJob] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease-keeper", daemon=True)

    def start(self) -> None:
        """Begin renewing."""
        self._thread.start()

    def stop(self) -> None:
        """Stop renewing; leases still held run out by themselves."""
        self._stopping.set()

    @contextmanager
    def holding(self, claim: Claim) -> Iterator[HeldJob]:
        """Renew this claim's lease while the block runs."""
        held = HeldJob(claim)
        with self._lock:
            self._held[claim.token] = held
        try:
            yield held
        finally:
            with self._lock:
                self._held.pop(claim.token, None)

    def held(self) -> list[HeldJob]:
        """The jobs held right now."""
        with self._lock:
            return list(self._held.values())

    def _run(self) -> None:
        while not self._stopping.wait(self._settings.heartbeat_s):
            try:
                self._beat()
            except TemporaryError as error:
                # Not lost yet: the record step's own guard decides, once the database is back.
                log.warning("leases not renewed", reason=error.detail)
            except Exception:
                log.exception("leases not renewed")

    def _beat(self) -> None:
        jobs = self.held()
        pairs = [(one.claim.job.id, one.claim.token) for one in jobs]
        kept = transact(self._engine, lambda connection: leases.renew(connection, pairs, self._settings))
        still_held = {one.claim.token for one in self.held()}
        for one in jobs:
            # One that was finished meanwhile has no lease either, but did not lose it.
            if one.claim.job.id not in kept and one.claim.token in still_held:
                log.info("lease lost", job_id=str(one.claim.job.id))
                one.give_up()
