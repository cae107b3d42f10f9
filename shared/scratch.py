"""A place for a process's temporary files that does not outlive it: what a killed process left, the next one deletes.

Documents lie there while they are examined, shown or exported. Left behind, they would be out of reach of erasure and
retention, and fill a disk, or the volume of a pod whose container is killed again and again.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_LOCK = ".lock"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Until the block ends, `tempfile` puts this process's files into a folder of its own, gone with the block."""
    outside = tempfile.tempdir
    with held_folder(Path(tempfile.gettempdir()), "paraphe-scratch-") as folder:
        tempfile.tempdir = str(folder)
        try:
            yield folder
        finally:
            tempfile.tempdir = outside


@contextmanager
def held_folder(place: Path, prefix: str) -> Iterator[Path]:
    """A folder in ``place`` that only this process uses, named ``prefix`` and something, which goes with the block.

    Those of dead processes go first. A folder's process holds a lock in it, which the system lets go of however that
    process ends; process ids would be those of another container, or of another process by now.
    """
    _sweep(place, prefix)
    folder = Path(tempfile.mkdtemp(prefix="paraphe-new-", dir=place))
    with (folder / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Only now does it get the name that others look for: before, it would have looked dead.
        folder = folder.rename(place / folder.name.replace("paraphe-new-", prefix))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _sweep(place: Path, prefix: str) -> None:
    for folder in place.glob(f"{prefix}*"):
        with suppress(OSError):  # another process's to delete, or just deleted
            if folder.lstat().st_uid == os.getuid() and _is_dead(folder):
                shutil.rmtree(folder)


def _is_dead(folder: Path) -> bool:
    with (folder / _LOCK).open("r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
