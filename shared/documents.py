"""A job's document out of the object store."""

import hashlib
from pathlib import Path

from shared.domain.errors import ErrorCode, TemporaryError
from shared.domain.job import Document
from shared.objects import ObjectMissingError, ObjectStore


def fetch_document(store: ObjectStore, document: Document, target: Path) -> None:
    """Write the document's bytes to ``target``; TemporaryError when the store has none, or others, or none to give."""
    try:
        store.fetch(document.object_name, target)
    except ObjectMissingError as error:
        raise TemporaryError(
            ErrorCode.DOCUMENT_MISSING, "The object store does not have the document; submit it again."
        ) from error
    with target.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != document.sha256:
            raise TemporaryError(ErrorCode.DOCUMENT_MISSING, "The stored document is not the one that was sent.")
