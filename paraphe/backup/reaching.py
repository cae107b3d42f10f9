"""Which servers: those the settings name, or those of a data folder, started for the time if they do not run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from paraphe.backup.errors import BackupError
from shared.settings import ObjectsSettings, PostgresSettings

if TYPE_CHECKING:
    from paraphe.local.data_folder import DataFolder

_NAMES_SERVERS = ("PARAPHE_POSTGRES_URL", "PARAPHE_OBJECTS_ENDPOINT")


@contextmanager
def servers_of(data: Path, *, alone: bool) -> Iterator[tuple[PostgresSettings, ObjectsSettings]]:
    """Settings that lead to running servers. ``alone``: refuse while a ``paraphe up`` runs on the data folder."""
    if all(os.environ.get(name) for name in _NAMES_SERVERS):
        yield _settings()
        return
    with _data_folder(data, alone):
        yield _settings()


def _settings() -> tuple[PostgresSettings, ObjectsSettings]:
    try:
        return PostgresSettings(), ObjectsSettings()
    except ValidationError as error:
        raise BackupError(f"settings in the environment are not whole: {error}") from error


@contextmanager
def _data_folder(data: Path, alone: bool) -> Iterator[None]:
    try:
        from paraphe.local.data_folder import DataFolder
        from paraphe.local.errors import AlreadyRunningError, StartupError
    except ModuleNotFoundError as error:
        raise BackupError(f"say where the servers are: {' and '.join(_NAMES_SERVERS)}") from error
    folder = DataFolder(data)
    if not (data / "secrets.json").exists():
        raise BackupError(
            f"{data} is no data folder of a `paraphe up`. Give one with --data, or set {' and '.join(_NAMES_SERVERS)}."
        )
    try:
        folder.lock()
    except AlreadyRunningError as error:
        if alone:
            raise BackupError(f"`paraphe up` runs on {data}; stop it first.") from error
        _lead_to_running(data)
        yield
        return
    try:
        yield from _started(folder)
    except StartupError as error:
        raise BackupError(str(error)) from error
    finally:
        folder.unlock()


def _started(folder: "DataFolder") -> Iterator[None]:
    from paraphe.local.servers import ServerGroup

    group = ServerGroup(folder, os.environ)
    try:
        group.ensure_running()
        os.environ.update(group.environment)
        yield
    finally:
        group.stop()


def _lead_to_running(data: Path) -> None:
    from paraphe.local.data_folder import DataFolder
    from paraphe.local.servers import ServerGroup

    class Running(DataFolder):
        """Its ports are those of the running servers, though nobody could listen there now."""

        def port(self, name: str) -> int:
            return self.known_ports()[name]

    os.environ.update(ServerGroup(Running(data), os.environ).environment)
