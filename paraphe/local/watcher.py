"""Keeps children alive: one that ends is started again, at once the first time, later and later if it keeps ending."""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from paraphe.local.errors import StartupError

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_CALM_S = 30.0  # after running this long an end counts as the first again
_LOG_LIMIT_BYTES = 32 * 1024 * 1024


class Child(Protocol):
    """What is watched: an embedded server or a service."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def log(self) -> Path:
        """Where it writes."""

    @property
    def exit_code(self) -> int | None:
        """How it ended."""

    def is_alive(self) -> bool:
        """Whether it runs."""

    def spawn(self) -> None:
        """Start it, without waiting."""


@dataclass
class _Record:
    child: Child
    started: float
    pause_s: float = _FIRST_PAUSE_S
    start_at: float | None = None


class Watcher:
    """Call ``tick`` every moment, from the thread that started the children."""

    def __init__(
        self, children: Sequence[Child], say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say = say
        self._clock = clock
        self._records = [_Record(child, clock()) for child in children]

    def tick(self) -> None:
        """Start what has ended and waited long enough; keep logs from filling the disk."""
        for record in self._records:
            _limit_log(record.child.log)
            if record.start_at is not None:
                self._start_when_due(record)
            elif not record.child.is_alive():
                self._note_end(record)

    def _note_end(self, record: _Record) -> None:
        now = self._clock()
        if now - record.started > _CALM_S:
            record.pause_s = _FIRST_PAUSE_S
        record.start_at = now + record.pause_s
        child = record.child
        self._say(f"{child.name} {_ended(child.exit_code)}; starts again in {record.pause_s:g} s. Log: {child.log}")
        record.pause_s = min(record.pause_s * 2, _LONGEST_PAUSE_S)

    def _start_when_due(self, record: _Record) -> None:
        if record.start_at is None or self._clock() < record.start_at:
            return
        record.started = self._clock()
        record.start_at = None
        try:
            record.child.spawn()
        except (OSError, StartupError) as error:
            self._say(f"{record.child.name} could not be started: {error}")


def _ended(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"was killed (signal {-exit_code})"
    return f"stopped (exit {exit_code})"


def _limit_log(log: Path) -> None:
    """Keep the last full log beside a fresh one. The writer appends, so cutting the file under it is safe."""
    with suppress(OSError):  # no log is worth stopping for
        if log.stat().st_size > _LOG_LIMIT_BYTES:
            with suppress(OSError):  # a disk too full to keep the old log needs the cut the most
                log.with_suffix(".log.1").write_bytes(log.read_bytes())
            os.truncate(log, 0)
