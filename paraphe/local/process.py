"""One child process of ours: started, watched, stopped, and found again after we were killed ourselves."""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from paraphe.local.errors import StartupError

_PR_SET_PDEATHSIG = 1
# Bound here, not in the child: between fork and exec nothing should be looked up or allocated.
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


@dataclass(frozen=True)
class ProcessSpec:
    """What to run. ``stop_signal`` asks it to finish; ``orphan_signal`` reaches it when its parent is killed (Linux).

    ``user`` is a (uid, gid) to run as (root only).
    """

    name: str
    command: tuple[str, ...]
    log: Path
    pid_file: Path
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    user: tuple[int, int] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL


class ChildProcess:
    """A process with a memory: its pid lies in a file, so that a left-over of a killed parent is found and ended.

    Start it from a thread that lives as long as the child should: Linux sends the orphan signal at that thread's end.
    """

    def __init__(self, spec: ProcessSpec) -> None:
        self.spec = spec
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return self.spec.name

    @property
    def log(self) -> Path:
        """Where it writes."""
        return self.spec.log

    @property
    def pid(self) -> int | None:
        """Process id, or None before the first start."""
        return self._process.pid if self._process else None

    @property
    def exit_code(self) -> int | None:
        """How it ended (negative: by that signal), or None while it runs or was never started."""
        return self._process.poll() if self._process else None

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def spawn(self) -> None:
        """Start it, in its own process group (a Ctrl-C at the terminal is ours to pass on, in order)."""
        with self.spec.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own programs, no shell
                self.spec.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.spec.env},
                cwd=self.spec.cwd,
                start_new_session=True,
                user=self.spec.user[0] if self.spec.user else None,
                group=self.spec.user[1] if self.spec.user else None,
                extra_groups=[] if self.spec.user else None,
                preexec_fn=_die_with_parent(self.spec.orphan_signal),
            )
        _remember(self._process.pid, self.spec)

    def stop(self, grace_s: float) -> bool:
        """Ask it to finish; after ``grace_s`` seconds end it by force. Says whether it finished by itself."""
        if not self._process:
            return True
        self.ask_to_stop()
        return self.wait_or_kill(grace_s)

    def ask_to_stop(self) -> None:
        """Send the stop signal without waiting."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(self.spec.stop_signal)

    def wait_or_kill(self, grace_s: float) -> bool:
        """Wait for the end; after ``grace_s`` seconds force it on the whole group. Whether it ended by itself."""
        if not self._process:
            return True
        try:
            self._process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self.kill(whole_group=True)
            return False
        self.spec.pid_file.unlink(missing_ok=True)
        return True

    def kill(self, *, whole_group: bool = False) -> None:
        """``kill -9``, as a crash would: nothing is flushed, nobody is told."""
        if not self._process or self._process.poll() is not None:
            return
        if whole_group:
            os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()
        self._process.wait()

    def log_tail(self, lines: int = 15) -> str:
        """The last lines of its log, for a message that says why it did not start."""
        try:
            return "\n".join(self.spec.log.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return "(no log)"

    def wait_until(self, is_ready: Callable[[], bool], timeout_s: float) -> None:
        """Poll ``is_ready`` until it says so.

        Raises:
            StartupError: the process ended or was not ready in time; the message carries the end of its log.
        """
        deadline = time.monotonic() + timeout_s
        while not is_ready():
            if not self.is_alive():
                raise StartupError(f"{self.spec.name} stopped at start (exit {self.exit_code}):\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise StartupError(f"{self.spec.name} not ready within {timeout_s:.0f} s:\n{self.log_tail()}")
            time.sleep(0.02)


def _die_with_parent(orphan_signal: signal.Signals) -> Callable[[], None] | None:
    if _prctl is None:
        return None
    number = int(orphan_signal)

    def ask_kernel() -> None:
        _prctl(_PR_SET_PDEATHSIG, number)

    return ask_kernel


def end_leftovers(folder: Path, grace_s: float = 10.0) -> list[str]:
    """End every process remembered in ``folder`` that a killed parent left behind; returns their names."""
    found = {path.stem: process for path in sorted(folder.glob("*.json")) if (process := _recall(path))}
    for name, process in found.items():
        process.send_signal(json.loads((folder / f"{name}.json").read_text())["stop_signal"])
    _, stubborn = psutil.wait_procs(list(found.values()), timeout=grace_s)
    for process in stubborn:
        process.kill()
    psutil.wait_procs(stubborn, timeout=grace_s)
    return list(found)


def _remember(pid: int, spec: ProcessSpec) -> None:
    """The start time goes with the pid: a pid alone may belong to a stranger by the time it is read."""
    kept = {"pid": pid, "created": psutil.Process(pid).create_time(), "stop_signal": int(spec.stop_signal)}
    spec.pid_file.write_text(json.dumps(kept))


def _recall(path: Path) -> psutil.Process | None:
    try:
        kept = json.loads(path.read_text())
        process = psutil.Process(int(kept["pid"]))
        same = abs(process.create_time() - float(kept["created"])) < 2.0
    except (ValueError, KeyError, psutil.NoSuchProcess):
        return None
    return process if same and process.status() != psutil.STATUS_ZOMBIE else None
