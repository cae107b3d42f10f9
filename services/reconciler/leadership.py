"""Of several reconcilers one acts; when it goes, another takes over."""

import threading

import structlog
from sqlalchemy import Connection, Engine, func, select, text

from shared.db.locks import AdvisoryLock

log = structlog.get_logger(__name__)

# Postgres must notice within seconds that a leader's machine has vanished, or nobody could take its place.
_NOTICE_LOSS = ("tcp_keepalives_idle = 5", "tcp_keepalives_interval = 5", "tcp_keepalives_count = 2")


class Leadership:
    """An advisory lock kept by one database session for as long as that session lives.

    Two may believe in it for the moment a session takes to die; all they do is safe to do twice.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._guard = threading.Lock()
        self._session: Connection | None = None
        self._held = False

    def is_held(self) -> bool:
        """Whether this process leads, taking the lead if it is free. Database errors pass through: nobody leads."""
        with self._guard:
            try:
                return self._check()
            except Exception:
                self._drop()
                raise

    def release(self) -> None:
        """Let another lead at once."""
        with self._guard:
            self._drop()

    def _check(self) -> bool:
        if self._session is None:
            self._session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            for option in _NOTICE_LOSS:
                self._session.execute(text(f"set {option}"))
        if self._held:
            self._session.execute(select(1))  # raises when the session, and the lock with it, is gone
            return True
        self._held = self._session.execute(select(func.pg_try_advisory_lock(AdvisoryLock.RECONCILER))).scalar_one()
        if self._held:
            log.info("this reconciler leads")
        return self._held

    def _drop(self) -> None:
        session, self._session, self._held = self._session, None, False
        if session is not None:
            # Not back to the pool: the lock belongs to the session and would live on with it.
            session.invalidate()
            session.close()
