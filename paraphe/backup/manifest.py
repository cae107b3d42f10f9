"""What a backup says of itself: ``backup.json``, written last, so that a folder without it is none."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from paraphe.backup.errors import BackupError

FORMAT = 1
DUMP = "database.dump"
LISTING = "objects.jsonl"
_NAME = "backup.json"


@dataclass(frozen=True, slots=True)
class FileFact:
    """Size in bytes and sha256 of a file of the backup."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """``rows``: rows of each table in the dump. ``objects`` and ``object_bytes``: what the listing names."""

    made_at: datetime
    schema: str
    server_major: int
    rows: Mapping[str, int]
    objects: int
    object_bytes: int
    files: Mapping[str, FileFact]

    def write(self, folder: Path) -> None:
        """Make the folder a backup."""
        body = {"format": FORMAT, **asdict(self), "made_at": self.made_at.isoformat()}
        draft = folder / f".{_NAME}.new"
        draft.write_text(json.dumps(body, indent=2) + "\n")
        draft.replace(folder / _NAME)

    @staticmethod
    def is_in(folder: Path) -> bool:
        """Whether the folder holds a finished backup."""
        return (folder / _NAME).is_file()

    @staticmethod
    def take_from(folder: Path) -> None:
        """Make the folder no backup any more."""
        (folder / _NAME).unlink(missing_ok=True)

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """BackupError when the folder holds no backup we can read."""
        try:
            body: dict[str, Any] = json.loads((folder / _NAME).read_text())
            if body.pop("format") != FORMAT:
                raise BackupError(f"{folder} was made by another version of Paraphe and cannot be read by this one.")
            files = {name: FileFact(**fact) for name, fact in body.pop("files").items()}
            return cls(**{**body, "made_at": datetime.fromisoformat(body["made_at"])}, files=files)
        except FileNotFoundError:
            raise BackupError(f"{folder} holds no finished backup: there is no {_NAME}.") from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BackupError(f"{folder / _NAME} cannot be read: {error}") from error

    def check_files(self, folder: Path) -> None:
        """BackupError unless the files are what they were when the backup was made."""
        for name in (DUMP, LISTING):
            if name not in self.files or not (folder / name).is_file():
                raise BackupError(f"{folder / name} is missing.")
            if fact_of(folder / name) != self.files[name]:
                raise BackupError(f"{folder / name} is damaged: it is not what it was when the backup was made.")


def fact_of(path: Path) -> FileFact:
    """Size and hash of a file."""
    with path.open("rb") as file:
        return FileFact(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
