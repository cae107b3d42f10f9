"""Whether a backup is good: its files, the dump tried out, every object where it was."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, select

from paraphe.backup.database import Database
from paraphe.backup.listing import ListedObject, hash_of, read_listing
from paraphe.backup.manifest import LISTING, Manifest
from shared.db.tables import jobs
from shared.domain.document_name import document_name
from shared.objects import ObjectMissingError, ObjectStore


@dataclass(frozen=True, slots=True)
class Verification:
    """``faults`` are sentences, one an object. ``erased``: documents of jobs that are no more, as it should be."""

    manifest: Manifest
    was_tried_out: bool
    objects: int
    erased: int
    faults: tuple[str, ...]


def verify(folder: Path, database: Database, store: ObjectStore, *, read_objects: bool) -> Verification:
    """Look at everything, change nothing. BackupError when files are damaged or the dump cannot be restored.

    ``read_objects``: read every byte and compare the hashes; else only look whether each is there in its size.
    """
    manifest = Manifest.read(folder)
    manifest.check_files(folder)
    was_tried_out = database.try_out(folder, manifest)
    faults: list[str] = []
    objects = erased = 0
    for listed in read_listing(folder / LISTING):
        objects += 1
        for fault in _faults(store, listed, read_objects):
            if _is_gone_for_good(database.engine, listed):
                erased += 1
            else:
                faults.append(fault)
    return Verification(manifest, was_tried_out, objects, erased, tuple(faults))


def _faults(store: ObjectStore, listed: ListedObject, read_objects: bool) -> Iterator[str]:
    try:
        size = store.size(listed.name)
        sha256 = hash_of(store, listed.name) if read_objects else listed.sha256
    except ObjectMissingError:
        yield f"{listed.name} is missing from the store"
        return
    if size != listed.size:
        yield f"{listed.name} has {size} bytes instead of {listed.size}"
    elif sha256 != listed.sha256:
        yield f"{listed.name} is damaged: its sha256 is {sha256}"


def _is_gone_for_good(engine: Engine, listed: ListedObject) -> bool:
    """Uploads are used up or expire; documents go with their job."""
    document = document_name(listed.name)
    if document is None:
        return listed.name.startswith("uploads/")
    with engine.connect() as connection:
        found = connection.execute(select(jobs.c.id).where(jobs.c.id == document.job_id)).one_or_none()
    return found is None
