"""Ctrl-C, SIGTERM and a closed terminal: the first asks everything to finish, the second ends it at once."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType


class StopRequestedError(BaseException):
    """Asked to stop while still starting. Not an Exception, so that no handler of faults swallows it."""


class Interruption:
    """``requested`` once asked to stop, ``hurry`` once asked again."""

    def __init__(self) -> None:
        self.requested = Event()
        self.hurry = Event()
        self._raises = False

    def listen(self) -> None:
        """From now on take the signals, but for those we were started to ignore (``nohup``: the closed terminal)."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._note)

    @contextmanager
    def raising(self) -> Iterator[None]:
        """Inside, a request to stop ends the block with StopRequestedError."""
        self._raises = True
        try:
            yield
        finally:
            self._raises = False

    def _note(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self.requested.is_set():
            self.hurry.set()
        self.requested.set()
        if self._raises:
            self._raises = False
            raise StopRequestedError
