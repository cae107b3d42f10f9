"""The listing of the objects: one JSON line each, ``{"name", "size", "sha256"}``, in the order of the names."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from paraphe.backup.errors import BackupError
from shared.domain.document_name import document_name
from shared.objects import ObjectMissingError, ObjectStore


@dataclass(frozen=True, slots=True)
class ListedObject:
    """One object as it was when the backup was made. Size in bytes."""

    name: str
    size: int
    sha256: str


def write_listing(store: ObjectStore, target: Path) -> tuple[int, int]:
    """List everything; returns number and bytes.

    Documents carry their hash in their name, and it is checked whenever one is fetched, so they are not read here.
    """
    number = total = 0
    with target.open("w") as file:
        for name, size in store.listing():
            document = document_name(name)
            try:
                sha256 = document.sha256 if document else hash_of(store, name)
            except ObjectMissingError:
                continue  # deleted since it was listed: an upload that was used, a job that was erased
            file.write(json.dumps(asdict(ListedObject(name, size, sha256))) + "\n")
            number, total = number + 1, total + size
    return number, total


def read_listing(path: Path) -> Iterator[ListedObject]:
    """What ``write_listing`` wrote."""
    with path.open() as file:
        for line in file:
            try:
                yield ListedObject(**json.loads(line))
            except (ValueError, TypeError) as error:
                raise BackupError(f"{path} cannot be read: {error}") from error


def hash_of(store: ObjectStore, name: str) -> str:
    """sha256 of an object's bytes; ObjectMissingError when it is not there."""
    found = hashlib.sha256()
    for chunk in store.read(name):
        found.update(chunk)
    return found.hexdigest()
