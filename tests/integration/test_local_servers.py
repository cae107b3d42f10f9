"""The embedded servers keep their addresses and their data, however they end."""

import io
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import psycopg2
import pytest
import redis
from minio import Minio
from redis.backoff import NoBackoff
from redis.retry import Retry

from paraphe.local.data_folder import DataFolder
from paraphe.local.errors import StartupError
from paraphe.local.process import end_leftovers
from paraphe.local.servers import EmbeddedServer, ServerGroup, ValkeyServer
from tests.servers import Servers


def _store(servers: Servers) -> Minio:
    given = servers.environment
    return Minio(
        given["PARAPHE_OBJECTS_ENDPOINT"],
        access_key=given["PARAPHE_OBJECTS_ACCESS_KEY"],
        secret_key=given["PARAPHE_OBJECTS_SECRET_KEY"],
        secure=False,
    )


def _write_everywhere(servers: Servers, word: str) -> None:
    with psycopg2.connect(servers.environment["PARAPHE_POSTGRES_URL"]) as connection:
        connection.cursor().execute("CREATE TABLE IF NOT EXISTS words (word text)")
        connection.cursor().execute("INSERT INTO words VALUES (%s)", (word,))
    _store(servers).put_object("paraphe", f"words/{word}", io.BytesIO(word.encode()), len(word))


def _read_everywhere(servers: Servers, word: str) -> tuple[str, str]:
    with psycopg2.connect(servers.environment["PARAPHE_POSTGRES_URL"]) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT word FROM words WHERE word = %s", (word,))
        (row,) = cursor.fetchone()
    return row, _store(servers).get_object("paraphe", f"words/{word}").read().decode()


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_what_was_written_is_there_after_a_new_start(servers: Servers, end: str) -> None:
    before = servers.environment
    _write_everywhere(servers, end)
    for server in servers.group.members:
        getattr(server, end)()
        assert not server.is_alive()
    assert sorted(servers.group.ensure_running()) == ["postgres", "seaweedfs", "valkey"]
    assert servers.environment == before
    assert _read_everywhere(servers, end) == (end, end)
    with psycopg2.connect(servers.environment["PARAPHE_POSTGRES_URL"]) as connection:
        connection.cursor().execute("DROP TABLE words")


def test_only_the_keys_of_this_folder_are_let_in(servers: Servers) -> None:
    given = servers.environment
    port = int(given["PARAPHE_REDIS_URL"].rpartition(":")[2].split("/")[0])
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=port, retry=Retry(NoBackoff(), 0)).ping()
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(given["PARAPHE_POSTGRES_URL"].replace("paraphe:", "paraphe:not-", 1))


def test_a_second_group_on_the_machine_meets_no_port_of_the_first(servers: Servers, tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "second")
    folder.prepare()
    second = ServerGroup(folder, given={"PARAPHE_POSTGRES_URL": "postgresql://elsewhere/x"})
    try:
        assert second.ensure_running() == ["valkey", "seaweedfs"]
        assert not set(second.environment.values()) & set(servers.environment.values())
        assert "PARAPHE_POSTGRES_URL" not in second.environment
    finally:
        second.stop()


def _start_and_be_killed(folder: Path, script: str) -> int:
    """Run a program that starts a Valkey in ``folder`` and dies by kill -9; returns that Valkey's pid."""
    program = f"""
        import os, signal
        from pathlib import Path
        from paraphe.local.data_folder import DataFolder
        from paraphe.local.servers import ValkeyServer
        {script}
        folder = DataFolder(Path({str(folder)!r}))
        folder.prepare()
        server = ValkeyServer(folder)
        server.start()
        print(server.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True)
    assert done.returncode == -signal.SIGKILL
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's end")
def test_servers_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    pid = _start_and_be_killed(tmp_path, script="")
    _wait_for_end(pid)


def _wait_for_end(pid: int) -> None:
    try:
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            process.wait(30)
    except psutil.NoSuchProcess:
        pass


def test_a_server_that_outlived_its_parent_is_replaced_at_the_same_address(tmp_path: Path) -> None:
    """As on systems that do not tell children of their parent's end."""
    old = _start_and_be_killed(tmp_path, "import paraphe.local.process as process; process._prctl = None")
    port = json.loads((tmp_path / "ports.json").read_text())["valkey"]
    assert psutil.pid_exists(old)
    folder = DataFolder(tmp_path)
    assert end_leftovers(folder.run_folder) == ["valkey"]
    server = ValkeyServer(folder)
    server.start()
    try:
        assert f":{port}/" in server.environment["PARAPHE_REDIS_URL"]
    finally:
        server.stop()


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.prepare()
    server: EmbeddedServer = ValkeyServer(folder)
    (folder.path / "valkey").mkdir()
    (folder.path / "valkey" / "appendonlydir").write_text("in the way")
    with pytest.raises(StartupError, match="appendonlydir"):
        server.start()
    assert not server.is_alive()


def test_secrets_are_readable_by_their_owner_only(servers: Servers) -> None:
    private = ["secrets.json", "ports.json", "seaweedfs/s3.json", "valkey/valkey.conf"]
    assert {oct(os.stat(servers.folder.path / name).st_mode & 0o777) for name in private} == {"0o600"}
