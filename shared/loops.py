"""Loops that outlive outages of the servers they need."""

import threading
import time
from collections.abc import Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from shared.domain.errors import TemporaryError
from shared.queue import PUBLISH_FAULTS

log = structlog.get_logger(__name__)

# What a server that is away looks like; anything else is a mistake of ours and logged with its traceback.
OUTAGES = (SQLAlchemyError, TemporaryError, *PUBLISH_FAULTS)


class Outage:
    """Whether a loop is failing now, so that one outage makes two log lines and not two a second."""

    def __init__(self, loop: str) -> None:
        self._loop = loop
        self._since: float | None = None
        self.failures = 0

    def begin(self, error: Exception) -> None:
        """Another failure; only the first of an outage is logged."""
        self.failures += 1
        if self._since is None:
            self._since = time.monotonic()
            known = isinstance(error, OUTAGES)
            log.warning("loop is failing", loop=self._loop, error=_in_short(error), exc_info=not known)

    def end(self) -> None:
        """It works (again)."""
        if self._since is not None:
            seconds = round(time.monotonic() - self._since, 1)
            log.info("loop works again", loop=self._loop, seconds=seconds, failures=self.failures)
        self._since, self.failures = None, 0


def _in_short(error: Exception) -> str:
    """One line: drivers' messages repeat statement and parameters below it."""
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"


class EnduringLoop:
    """Calls ``step`` every ``period_s`` seconds until stopped, whatever it raises.

    Failing, it waits longer each time, at most ``longest_pause_s``: short, for the servers' return must be noticed.
    """

    def __init__(self, name: str, step: Callable[[], object], *, period_s: float, longest_pause_s: float = 5.0) -> None:
        self.name = name
        self._step = step
        self._period_s = period_s
        self._longest_pause_s = longest_pause_s

    def run(self, stop: threading.Event) -> None:
        """Return once ``stop`` is set and the step under way has ended."""
        outage = Outage(self.name)
        while not stop.is_set():
            try:
                self._step()
            except Exception as error:  # a loop that ends would end its service's work in silence
                outage.begin(error)
            else:
                outage.end()
            stop.wait(self._pause_s(outage.failures))

    def _pause_s(self, failures: int) -> float:
        if not failures:
            return self._period_s
        return max(self._period_s, min(0.25 * 2.0 ** min(failures, 10), self._longest_pause_s))


def run_until(stop: threading.Event, loops: list[EnduringLoop], *, grace_s: float = 2.0) -> None:
    """Run each loop in a thread of its own until ``stop`` is set; then wait at most ``grace_s`` for all of them."""
    threads = [threading.Thread(target=loop.run, args=(stop,), name=loop.name, daemon=True) for loop in loops]
    for thread in threads:
        thread.start()
    stop.wait()
    deadline = time.monotonic() + grace_s
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0))
