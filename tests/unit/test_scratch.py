"""Temporary files go with their process, or with the next one."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.scratch import scratch_folder

_HOLDING = """
import tempfile, time
from shared.scratch import scratch_folder
with scratch_folder():
    print(tempfile.mkdtemp(), flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go by themselves."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def other() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Another process with a scratch folder, and a folder it has made in there."""
    with subprocess.Popen([sys.executable, "-c", _HOLDING], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())
        process.kill()


def test_whatever_is_made_meanwhile_goes_with_the_block(place: Path) -> None:
    with scratch_folder() as folder:
        assert folder.parent == place
        made = Path(tempfile.mkdtemp())
        assert made.parent == folder
    assert list(place.iterdir()) == []
    assert tempfile.gettempdir() == str(place)


def test_it_is_closed_to_other_users() -> None:
    with scratch_folder() as folder:
        assert folder.stat().st_mode & 0o077 == 0


def test_a_living_process_keeps_its_own(other: tuple[subprocess.Popen[str], Path]) -> None:
    _, made = other
    with scratch_folder():
        assert made.is_dir()


def test_what_a_killed_process_left_is_deleted(place: Path, other: tuple[subprocess.Popen[str], Path]) -> None:
    process, made = other
    process.kill()
    process.wait()
    assert made.is_dir()
    with scratch_folder() as folder:
        assert list(place.iterdir()) == [folder]


def test_folders_of_others_are_left_alone(place: Path) -> None:
    (place / "paraphe-scratch-nobodys").mkdir()
    (place / "something-else").mkdir()
    with scratch_folder():
        pass
    assert len(list(place.iterdir())) == 2
