"""Whether another job may be queued. Counting on every request would cost more than the limit is worth."""

import threading
import time

from sqlalchemy import Connection

from shared.db import jobs

_FRESH_S = 1.0


class Backlog:
    """The number of queued jobs, counted at most once a second, plus those accepted here since."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._count = 0
        self._counted_at = -_FRESH_S

    @property
    def is_stale(self) -> bool:
        """Whether the number is too old to go by."""
        return time.monotonic() - self._counted_at >= _FRESH_S

    def count(self, connection: Connection) -> None:
        """Take the number from the database."""
        count = jobs.waiting(connection)
        with self._lock:
            self._count, self._counted_at = count, time.monotonic()

    def note_accepted(self) -> None:
        """One more is queued."""
        with self._lock:
            self._count += 1

    @property
    def is_full(self) -> bool:
        """Whether new jobs are to be refused."""
        return self._count >= self._limit
