"""Making a backup."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from paraphe.backup.database import Database
from paraphe.backup.errors import BackupError
from paraphe.backup.listing import write_listing
from paraphe.backup.manifest import DUMP, LISTING, Manifest, fact_of
from shared.objects import ObjectStore


def make_backup(folder: Path, database: Database, store: ObjectStore) -> Manifest:
    """Write a backup into a new or empty folder, while everything runs.

    BackupError when it cannot be made. An attempt that fails leaves nothing behind.

    The database first, the objects then: a document is stored before its job is accepted, so whatever job is in the
    dump, its document is in the listing, unless it was erased in between.
    """
    with _prepared(folder):
        snapshot = database.dump(folder / DUMP)
        number, total = write_listing(store, folder / LISTING)
        manifest = Manifest(
            made_at=snapshot.at,
            schema=snapshot.schema,
            server_major=database.server_major,
            rows=snapshot.rows,
            objects=number,
            object_bytes=total,
            files={name: fact_of(folder / name) for name in (DUMP, LISTING)},
        )
        manifest.write(folder)
    return manifest


@contextmanager
def _prepared(folder: Path) -> Iterator[None]:
    """Closed to other users: the dump holds what people wrote about their documents."""
    try:
        is_new = not folder.exists()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise BackupError(f"{folder} is not empty; give each backup a folder of its own.")
        if not is_new:
            folder.chmod(0o700)
    except OSError as error:
        raise BackupError(
            f"{folder} cannot be used: {error.strerror}. Name a new folder, or an empty one that is yours."
        ) from error
    try:
        yield
    except BaseException:
        with suppress(OSError):  # a disk that is gone must not hide why
            for path in folder.iterdir():
                path.unlink()
            if is_new:
                folder.rmdir()
        raise
