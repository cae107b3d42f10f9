"""A folder of backups, each in one of its own named after its time, of which the newest stay."""

import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from paraphe.backup.errors import BackupError
from paraphe.backup.manifest import Manifest

_FORM = "paraphe-%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"paraphe-\d{8}T\d{6}Z")
# An attempt that was killed leaves a folder without backup.json; one this young may still be at work. Less than a day:
# the next night's must not find it too young by a few seconds.
_LONGEST_ATTEMPT = timedelta(hours=20)


def next_folder(series: Path, now: datetime) -> Path:
    """Where a backup made now belongs. BackupError when the folder for all of them is not there."""
    if not series.is_dir():
        raise BackupError(f"{series} is no folder. Is the volume for backups mounted?")
    return series / now.astimezone(UTC).strftime(_FORM)


def remove_left_overs(series: Path, now: datetime) -> list[Path]:
    """Remove what killed attempts have left, which would take the room of the next; returns the removed."""
    unfinished = [path for path in _ours(series) if not Manifest.is_in(path)]
    return _remove([path for path in unfinished if _begun(path) < now - _LONGEST_ATTEMPT])


def prune(series: Path, keep: int) -> list[Path]:
    """Remove all finished backups but the newest ``keep``; returns the removed."""
    return _remove([path for path in _ours(series) if Manifest.is_in(path)][keep:])


def _ours(series: Path) -> list[Path]:
    """The newest first. Folders with other names are somebody else's."""
    return sorted((path for path in series.iterdir() if _NAME.fullmatch(path.name)), reverse=True)


def _remove(folders: list[Path]) -> list[Path]:
    for path in folders:
        Manifest.take_from(path)  # first: half a backup must not look like one
        shutil.rmtree(path)
    return folders


def _begun(path: Path) -> datetime:
    return datetime.strptime(path.name, _FORM).replace(tzinfo=UTC)
