"""The database: dumped at one moment, restored as a whole or not at all, tried out beside itself."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, create_engine, func, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.pool import NullPool

from paraphe.backup.errors import BackupError
from paraphe.backup.manifest import DUMP, Manifest
from paraphe.backup.programs import PostgresPrograms
from shared.db.engine import lift_limits, make_engine
from shared.db.tables import backups, metadata
from shared.domain.ids import new_id
from shared.scratch import scratch_folder
from shared.settings import PostgresSettings

# pg_restore's own settings stand there; what people wrote comes later and must stay.
_HEAD_BYTES = 4096
_TRIAL = "paraphe_trial_"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment of the database: when, which schema, how many rows each table has."""

    at: datetime
    schema: str
    rows: Mapping[str, int]


class Database:
    """The database the settings lead to."""

    def __init__(self, settings: PostgresSettings) -> None:
        self.engine = make_engine(settings)
        try:
            with self.engine.connect() as connection:
                self.server_major = int(connection.execute(text("show server_version_num")).scalar_one()) // 10000
        except DBAPIError as error:
            raise BackupError(f"the database cannot be reached: {error.orig}") from error
        self._programs = PostgresPrograms(settings, self.server_major)

    def close(self) -> None:
        """Let go of the connections."""
        self.engine.dispose()

    def dump(self, target: Path) -> Snapshot:
        """Write a dump in pg_dump's own format. The rows are counted at the very moment that is dumped."""
        with self.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            # Counting and dumping a large database takes longer than a request may.
            lift_limits(connection)
            name = connection.execute(text("select pg_export_snapshot()")).scalar_one()
            snapshot = _snapshot(connection)
            options = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={name}", f"--file={target}"]
            self._programs.run("pg_dump", options)
        return snapshot

    def note_backup(self, manifest: Manifest) -> str | None:
        """Record a backup in the database, so that its age can be watched. Returns why that could not be.

        A backup is good without: the database may be a replica, or have the schema of an older version.
        """
        try:
            with self.engine.begin() as connection:
                connection.execute(
                    insert(backups).values(
                        id=new_id(),
                        made_at=manifest.made_at,
                        jobs=manifest.rows.get("jobs", 0),
                        objects=manifest.objects,
                        bytes=sum(fact.size for fact in manifest.files.values()),
                    )
                )
        except DBAPIError as error:
            return str(error.orig).strip()
        return None

    def users(self) -> list[str]:
        """Names of the programs that are connected beside us."""
        with self.engine.connect() as connection:
            rows = connection.execute(
                text(
                    "select coalesce(nullif(application_name, ''), usename::text, 'unknown') from pg_stat_activity "
                    "where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'"
                )
            )
            return sorted(set(rows.scalars()))

    def number_of_jobs(self) -> int:
        """Jobs in it; 0 also when it holds nothing at all."""
        if "jobs" not in inspect(self.engine).get_table_names():
            return 0
        with self.engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(metadata.tables["jobs"])).scalar_one()

    def replace(self, folder: Path, manifest: Manifest) -> None:
        """Put the dump in the place of all there is, in one transaction: it succeeds, or nothing has happened."""
        self._load(folder, manifest, self.engine.url.database)

    def try_out(self, folder: Path, manifest: Manifest) -> bool:
        """Restore into a database made for it and removed again; False where we may not make one.

        BackupError when the dump cannot be restored or does not hold what it should.
        """
        with self._beside() as name:
            if name is None:
                return False
            self._load(folder, manifest, name)
        return True

    @contextmanager
    def _beside(self) -> Iterator[str | None]:
        """Name of a database that is there meanwhile, and that a session of ours bears; None where we may not."""
        name = f"{_TRIAL}{secrets.token_hex(6)}"
        named = {"application_name": name}
        engine = create_engine(self.engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=named)
        with engine.connect() as connection:
            _drop_abandoned(connection)
            try:
                connection.execute(text(f"create database {name} template template0"))
            except ProgrammingError:
                yield None
                return
            try:
                yield name
            finally:
                connection.execute(text(f"drop database {name} with (force)"))

    def _load(self, folder: Path, manifest: Manifest, database: str | None) -> None:
        with scratch_folder() as scratch:
            # To a file first: a pipe that breaks would look like an end, and half a dump would be committed.
            script = scratch / "dump.sql"
            self._programs.read_archive(["--no-owner", "--no-privileges", f"--file={script}", folder / DUMP])
            if self.server_major < 17:
                _make_fit_for_older_server(script)
            emptying = "drop schema public cascade; create schema public"
            options = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
            self._programs.run("psql", [*options, f"--command={emptying}", f"--file={script}"], database=database)
        self.engine.dispose()  # what the pool knew of the tables before is not so any more
        engine = create_engine(self.engine.url.set(database=database), poolclass=NullPool)
        with engine.connect() as connection:
            _compare(_snapshot(connection), manifest)


def _drop_abandoned(connection: Connection) -> None:
    """Drop what interrupted trials have left: no session is in it or bears its name."""
    abandoned = text(
        "select datname from pg_database d where starts_with(datname, :trial) and pg_has_role(datdba, 'usage') "
        "and not exists (select from pg_stat_activity s where d.datname in (s.datname, s.application_name))"
    )
    for name in connection.execute(abandoned, {"trial": _TRIAL}).scalars().all():
        connection.execute(text(f"drop database if exists {name} with (force)"))


def _make_fit_for_older_server(script: Path) -> None:
    """Blank what pg_restore from 17 on sets and servers before 17 refuse. In place: the script may be large."""
    setting = b"SET transaction_timeout = 0;"
    with script.open("r+b") as file:
        place = file.read(_HEAD_BYTES).find(setting)
        if place >= 0:
            file.seek(place)
            file.write(b" " * len(setting))


def _snapshot(connection: Connection) -> Snapshot:
    at = connection.execute(text("select now()")).scalar_one()
    schema = connection.execute(text("select version_num from alembic_version")).scalar_one()
    present = set(inspect(connection).get_table_names())
    rows = {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in metadata.sorted_tables
        if table.name in present
    }
    return Snapshot(at, schema, rows)


def _compare(found: Snapshot, manifest: Manifest) -> None:
    differing = {
        name: (number, found.rows.get(name, 0))
        for name, number in manifest.rows.items()
        if found.rows.get(name, 0) != number
    }
    if differing or found.schema != manifest.schema:
        raise BackupError(f"what was restored is not what was dumped: {differing or found.schema}")
