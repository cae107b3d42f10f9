"""PostgreSQL's own programs: which to take, and how they are run."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from psycopg2.extensions import make_dsn, parse_dsn
from sqlalchemy import make_url

from paraphe.backup.errors import BackupError
from shared.settings import PostgresSettings

NEEDED = ("pg_dump", "pg_restore", "psql")
_VERSION = re.compile(r"(\d+)(?:\.\d+)*")


class PostgresPrograms:
    """pg_dump, pg_restore and psql for one database. The password travels in the environment: command lines show."""

    def __init__(self, settings: PostgresSettings, server_major: int) -> None:
        url = make_url(settings.url.get_secret_value()).set(drivername="postgresql")
        parts = parse_dsn(url.render_as_string(hide_password=False))
        self._environment = {**os.environ, "PGPASSWORD": parts.pop("password", ""), "PGAPPNAME": "paraphe-backup"}
        self._parts = parts
        self._folder = folder_for(server_major)

    def run(self, program: str, arguments: Sequence[str | Path], *, database: str | None = None) -> str:
        """Run one with these arguments and ``--dbname``; returns what it printed. BackupError when it fails."""
        dsn = make_dsn(**{**self._parts, **({"dbname": database} if database else {})})
        return self._call([self._folder / program, f"--dbname={dsn}", *arguments])

    def read_archive(self, arguments: Sequence[str | Path]) -> str:
        """Run pg_restore on an archive without a database."""
        return self._call([self._folder / "pg_restore", *arguments])

    def _call(self, command: Sequence[str | Path]) -> str:
        done = subprocess.run(  # noqa: S603 - PostgreSQL's own programs, no shell
            command, env=self._environment, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        if done.returncode != 0:
            raise BackupError(f"{Path(command[0]).name} failed:\n{done.stderr.strip()[-2000:]}")
        return done.stdout


def folder_for(server_major: int) -> Path:
    """A folder with programs that know this server: of those there are, the ones nearest above its version."""
    fitting = [(major, folder) for folder in _folders() if (major := _major(folder)) >= server_major]
    if not fitting:
        raise BackupError(
            f"No {', '.join(NEEDED)} of version {server_major} or newer here. "
            "Install PostgreSQL's client programs, or pip install 'paraphe[local]'."
        )
    return min(fitting)[1]


def _folders() -> Iterator[Path]:
    """Where they may lie: on the PATH, where Debian keeps several versions side by side, in our wheel."""
    found = [Path(path) for path in os.get_exec_path()]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    found += _wheel()
    for folder in dict.fromkeys(found):
        if all((folder / program).is_file() for program in NEEDED):
            yield folder


def _wheel() -> list[Path]:
    try:
        from paraphe.local.servers.postgres import binaries
    except ModuleNotFoundError:  # an installation without the embedded servers
        return []
    from paraphe.local.errors import StartupError

    try:
        return [binaries()]
    except StartupError:
        return []


@cache
def _major(folder: Path) -> int:
    program = shutil.which("pg_dump", path=str(folder))
    if program is None:
        return 0
    done = subprocess.run([program, "--version"], capture_output=True, text=True)  # noqa: S603
    # "pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"; nothing where it cannot start.
    found = _VERSION.search(done.stdout)
    return int(found.group(1)) if found and done.returncode == 0 else 0
