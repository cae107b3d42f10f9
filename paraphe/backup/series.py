"""A folder of backups, each in one of its own named after its time, of which the newest stay."""

import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from paraphe.backup.errors import BackupError
from paraphe.backup.manifest import Manifest

_FORM = "paraphe-%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"paraphe-\d{8}T\d{6}Z")
# An attempt that was killed leaves a folder without backup.json; one this young may still be at work.
_LONGEST_ATTEMPT = timedelta(days=1)


def next_folder(series: Path, now: datetime) -> Path:
    """Where a backup made now belongs. BackupError when the folder for all of them is not there."""
    if not series.is_dir():
        raise BackupError(f"{series} is no folder. Is the volume for backups mounted?")
    return series / now.astimezone(UTC).strftime(_FORM)


def prune(series: Path, keep: int, now: datetime) -> list[Path]:
    """Remove all finished backups but the newest ``keep``, and what killed attempts have left; returns the removed.

    Folders with other names are somebody else's.
    """
    ours = sorted((path for path in series.iterdir() if _NAME.fullmatch(path.name)), reverse=True)
    finished = [path for path in ours if Manifest.is_in(path)]
    left_over = [path for path in ours if not Manifest.is_in(path) and _begun(path) < now - _LONGEST_ATTEMPT]
    removed = finished[keep:] + left_over
    for path in removed:
        Manifest.take_from(path)  # first: half a backup must not look like one
        shutil.rmtree(path)
    return removed


def _begun(path: Path) -> datetime:
    return datetime.strptime(path.name, _FORM).replace(tzinfo=UTC)
