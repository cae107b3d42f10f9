"""The parent's end of one renderer child: start it, ask it, read its frames in time, end it."""

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

import shared
from shared.domain.errors import DocumentError, ErrorCode, ParapheError, TemporaryError
from shared.pages.protocol import LENGTH_BYTES, Request

_START_SECONDS = 30.0
_LOOK_SECONDS = 0.05
_INEXACT_BYTES = 16 * 1024 * 1024  # Linux counts memory in batches: two looks at the same may differ a little
_PIPE_BYTES = 1024 * 1024
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TZ")
# What a decoder's own mistake ends it with. Any other signal somebody has sent.
_CRASHES = (signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV, signal.SIGSYS, signal.SIGTRAP)
_SOURCE_ROOT = str(Path(shared.__file__).resolve().parents[1])


class RendererProcess:
    """One child. Not thread-safe: whoever took it from the pool has it alone until it is given back."""

    def __init__(self) -> None:
        self.documents = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "shared.pages.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd="/",
            env=_bare_environment(),
            start_new_session=True,  # Ctrl-C at the terminal is for the parent, which drains first
        )
        # Linux begins a child's count of memory at what its parent has used until then.
        self._parents_memory = _most_memory(os.getpid())
        self._memory_before = self._memory_seen = 0
        assert self._process.stdin
        assert self._process.stdout
        self._answers = self._process.stdout.fileno()
        self._poll = select.poll()
        self._poll.register(self._answers, select.POLLIN)
        self._seconds_left = 0.0
        self._seconds_a_page = 0.0
        self._memory_bytes = 0
        _widen(self._answers)

    @property
    def is_alive(self) -> bool:
        """Whether the child still runs."""
        return self._process.poll() is None

    def ask(self, request: Request) -> None:
        """Send a request; its answer is read with :meth:`frame` and :meth:`raster`.

        TemporaryError when the child did not even begin: that must not be blamed on the document at hand.
        """
        if self.documents == 0:
            self._await("The renderer does not start; its reason is on this program's stderr.")
        self.documents += 1
        self._memory_before = _most_memory(self._process.pid)
        assert self._process.stdin
        with suppress(BrokenPipeError):  # it is dead, as the wait for its word will tell
            self._process.stdin.write(request.encode())
            self._process.stdin.flush()
        self._await("The renderer ended before it saw the document.")
        self._seconds_left = request.limits.seconds
        self._memory_bytes = request.limits.memory_bytes
        self._seconds_a_page = request.limits.seconds_per_page

    def _await(self, else_: str) -> None:
        """The child's word that it is ready, or has begun; ``else_`` says what is wrong when it does not come."""
        self._seconds_left = self._seconds_a_page = _START_SECONDS
        try:
            self.frame()
        except ParapheError as error:
            self.kill()
            raise TemporaryError(ErrorCode.INTERNAL_ERROR, else_) from error

    def frame(self) -> dict[str, Any]:
        """The answer's next frame.

        DocumentError if the child takes too long or dies of the document, TemporaryError if somebody ended it and the
        document need not have been why.
        """
        deadline = self._start_clock()
        length = int.from_bytes(self._read(LENGTH_BYTES, deadline), "big")
        content: dict[str, Any] = json.loads(self._read(length, deadline))
        self._stop_clock(deadline)
        return content

    def raster(self, shape: tuple[int, int, int]) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """The raw bytes after a page's frame, read straight into an array."""
        deadline = self._start_clock()
        array = np.empty(shape, dtype=np.uint8)
        self._read_into(array.reshape(-1).data, deadline)
        self._stop_clock(deadline)
        return array

    def kill(self) -> None:
        """End the child at once, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):
                pipe.close()  # type: ignore[union-attr]

    def _start_clock(self) -> float:
        return time.monotonic() + min(self._seconds_left, self._seconds_a_page)

    def _stop_clock(self, deadline: float) -> None:
        """Charge the document only for the time waited here, never for what its reader does between pages."""
        allowed = min(self._seconds_left, self._seconds_a_page)
        self._seconds_left -= allowed - (deadline - time.monotonic())

    def _read(self, count: int, deadline: float) -> bytearray:
        content = bytearray(count)
        self._read_into(memoryview(content), deadline)
        return content

    def _read_into(self, view: memoryview, deadline: float) -> None:
        while view:
            if not self._wait(deadline):
                self.kill()
                raise DocumentError(
                    ErrorCode.RENDER_TIMEOUT, "Drawing a page took longer than allowed; export or scan it more simply."
                )
            count = os.readv(self._answers, [view])
            if count == 0:
                self._report_death()
            view = view[count:]

    def _wait(self, deadline: float) -> bool:
        """Whether there is something to read in time. What the child uses meanwhile is noted: the dead cannot tell."""
        while not self._poll.poll(max(0.0, min(_LOOK_SECONDS, deadline - time.monotonic())) * 1000):
            if time.monotonic() >= deadline:
                return False
            self._memory_seen = max(self._memory_seen, _most_memory(self._process.pid))
        return True

    def _report_death(self) -> NoReturn:
        ended_by, most_memory = self._ending()
        if ended_by == -signal.SIGXCPU:
            raise DocumentError(
                ErrorCode.RENDER_TIMEOUT,
                "Drawing took more processor time than allowed; export or scan it more simply.",
            )
        # PDFium aborts when it gets no more memory.
        if ended_by == -signal.SIGABRT and self._took_much(most_memory):
            raise memory_error()
        if ended_by is not None and ended_by < 0 and -ended_by not in _CRASHES:
            # Not ours: a kernel without memory takes renderers first, whoever has filled it. The document is to blame
            # only if it certainly took much.
            if self._took_much(most_memory):
                raise memory_error()
            raise TemporaryError(
                ErrorCode.INTERNAL_ERROR,
                "The system ended the renderer at work, as it does when memory runs out. Try again; if it goes on, "
                "give the worker more memory or fewer renderers.",
            )
        raise DocumentError(
            ErrorCode.RENDER_CRASH, "The document crashed its renderer; export or scan it again with another program."
        )

    def _took_much(self, most_memory: int) -> bool:
        """Whether the document at hand certainly did. The most at its end may be the parent's: then what was seen."""
        used = most_memory if most_memory > self._parents_memory else self._memory_seen
        return used > max(self._memory_bytes / 4, self._memory_before + _INEXACT_BYTES)

    def _ending(self) -> tuple[int | None, int]:
        """Exit status (negative: the signal) and most memory ever used in bytes, which Popen.wait would not tell."""
        try:
            _, status, usage = os.wait4(self._process.pid, 0)
        except ChildProcessError:  # something else in this program collects all children
            return self._process.poll(), 0
        self._process.returncode = os.waitstatus_to_exitcode(status)
        return self._process.returncode, usage.ru_maxrss * 1024


def _most_memory(pid: int) -> int:
    """The most a running process has used at any time, in bytes; 0 where it cannot be told."""
    with suppress(OSError):  # only Linux has the file, and not of a process that has ended
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def memory_error() -> DocumentError:
    """The error for a document that needs more memory than allowed."""
    return DocumentError(
        ErrorCode.RENDER_MEMORY, "Drawing needs more memory than allowed; scan or export at a lower resolution."
    )


def _bare_environment() -> dict[str, str]:
    """No credentials for a process that reads hostile files; one thread; no spare memory arenas."""
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    path = os.pathsep.join(entry for entry in (_SOURCE_ROOT, os.environ.get("PYTHONPATH")) if entry)
    return environment | {"PYTHONPATH": path, "LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "1"}


def _widen(pipe: int) -> None:
    """Let a whole raster wait in the pipe, so that the child draws the next page while this one is used."""
    with suppress(OSError, AttributeError):  # not beyond the user's limit, and only Linux can
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
