"""Children are asked, then forced; a left-over of a killed parent is ended, a stranger is not."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from paraphe.local.errors import StartupError
from paraphe.local.process import ChildProcess, ProcessSpec, end_leftovers

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
)


def _child(folder: Path, program: str) -> ChildProcess:
    spec = ProcessSpec("worker", (sys.executable, "-c", program), folder / "worker.log", folder / "worker.json")
    return ChildProcess(spec)


def _wait_for_word(child: ChildProcess, word: str) -> None:
    child.wait_until(lambda: word in child.log_tail(), 10)


def test_one_that_listens_finishes_by_itself(tmp_path: Path) -> None:
    child = _child(tmp_path, "import time; print('up', flush=True); time.sleep(60)")
    child.spawn()
    _wait_for_word(child, "up")
    assert child.is_alive()
    assert child.stop(grace_s=10)
    assert child.exit_code == -signal.SIGTERM
    assert not (tmp_path / "worker.json").exists()


def test_one_that_does_not_listen_is_ended_with_its_own_children(tmp_path: Path) -> None:
    program = f"import subprocess; print(subprocess.Popen(['sleep', '60']).pid)\n{STUBBORN}"
    child = _child(tmp_path, program)
    child.spawn()
    _wait_for_word(child, "deaf")
    grandchild = psutil.Process(int(child.log_tail().split()[0]))
    assert not child.stop(grace_s=0.1)
    assert not child.is_alive()
    psutil.wait_procs([grandchild], timeout=5)
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE


def test_one_that_ends_at_start_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    child = _child(tmp_path, "import sys; sys.exit('no model found')")
    child.spawn()
    with pytest.raises(StartupError, match=r"worker stopped at start \(exit 1\):\nno model found"):
        child.wait_until(lambda: False, 10)


def test_one_that_is_not_ready_in_time_is_an_error(tmp_path: Path) -> None:
    child = _child(tmp_path, "import time; time.sleep(60)")
    child.spawn()
    with pytest.raises(StartupError, match="not ready within 0 s"):
        child.wait_until(lambda: False, 0.1)
    child.kill()


def test_a_leftover_is_ended_also_if_it_is_stubborn(tmp_path: Path) -> None:
    child = _child(tmp_path, STUBBORN)
    child.spawn()
    _wait_for_word(child, "deaf")
    assert end_leftovers(tmp_path, grace_s=0.2) == ["worker"]
    assert child.pid is not None
    assert not psutil.pid_exists(child.pid)


def test_a_stranger_with_a_remembered_pid_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        kept = {"pid": stranger.pid, "created": time.time() - 3600, "stop_signal": 15}
        (tmp_path / "valkey.json").write_text(json.dumps(kept))
        assert end_leftovers(tmp_path) == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_half_written_pid_file_does_not_stop_a_start(tmp_path: Path) -> None:
    (tmp_path / "worker.json").write_text('{"pid": 1')
    assert end_leftovers(tmp_path) == []
