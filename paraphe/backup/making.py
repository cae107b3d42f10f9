"""Making a backup."""

from pathlib import Path

from paraphe.backup.database import Database
from paraphe.backup.errors import BackupError
from paraphe.backup.listing import write_listing
from paraphe.backup.manifest import DUMP, LISTING, Manifest, fact_of
from shared.objects import ObjectStore


def make_backup(folder: Path, database: Database, store: ObjectStore) -> Manifest:
    """Write a backup into an empty folder, while everything runs. BackupError when it cannot be made.

    The database first, the objects then: a document is stored before its job is accepted, so whatever job is in the
    dump, its document is in the listing, unless it was erased in between.
    """
    _prepare(folder)
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


def _prepare(folder: Path) -> None:
    """Closed to other users: the dump holds what people wrote about their documents."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise BackupError(f"{folder} is not empty; give each backup a folder of its own.")
    except OSError as error:
        raise BackupError(f"{folder} cannot be used: {error.strerror}") from error
