"""One owner at a time; ports and secrets that stay."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from paraphe.local.data_folder import DataFolder, is_port_free
from paraphe.local.errors import AlreadyRunningError, StartupError


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    return folder


def test_ports_and_secrets_are_remembered_and_differ(folder: DataFolder) -> None:
    again = DataFolder(folder.path)
    assert again.port("a") == folder.port("a") != folder.port("b")
    assert again.secret("a") == folder.secret("a") != folder.secret("b")
    assert len(folder.secret("a")) >= 32


def test_a_port_taken_by_another_program_is_replaced(folder: DataFolder) -> None:
    port = folder.port("a")
    with socket.create_server(("127.0.0.1", port)):
        assert not is_port_free(port)
        moved = folder.port("a")
    assert moved != port
    assert DataFolder(folder.path).port("a") == moved


def test_a_second_owner_is_told_who_is_there(folder: DataFolder) -> None:
    folder.lock()
    folder.write_owner("http://127.0.0.1:8000")
    with pytest.raises(AlreadyRunningError, match=rf"process {os.getpid()}, at http://127.0.0.1:8000") as caught:
        DataFolder(folder.path).lock()
    assert (caught.value.pid, caught.value.url) == (os.getpid(), "http://127.0.0.1:8000")
    folder.unlock()
    DataFolder(folder.path).lock()


def test_a_killed_owner_leaves_no_lock(folder: DataFolder) -> None:
    program = (
        "import os, sys; from pathlib import Path; from paraphe.local.data_folder import DataFolder\n"
        "DataFolder(Path(sys.argv[1])).lock(); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", program, folder.path]).returncode == -9
    assert folder.owner()["pid"] != os.getpid()
    folder.lock()
    assert folder.owner() == {"pid": os.getpid(), "url": None}


def test_private_files_are_private_and_replaced_whole(folder: DataFolder) -> None:
    path = folder.write_private("admin.key", "first")
    path.chmod(0o644)
    folder.write_private("admin.key", "second")
    assert path.read_text() == "second"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in folder.path.glob(".*")] == []


def test_other_users_cannot_list_the_folder(folder: DataFolder) -> None:
    assert folder.path.stat().st_mode & 0o066 == 0


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartupError, match=r"cannot use .*file/data as data folder"):
        DataFolder(tmp_path / "file" / "data").prepare()
