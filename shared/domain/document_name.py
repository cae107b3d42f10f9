"""What a document's name in the object store says; ``Document.object_name`` makes it."""

from dataclasses import dataclass
from uuid import UUID

DOCUMENTS = "documents/"


@dataclass(frozen=True, slots=True)
class DocumentName:
    """Whose it is, its hash, and its job."""

    client_id: UUID
    sha256: str
    job_id: UUID


def document_name(name: str) -> DocumentName | None:
    """The parts of ``documents/<client>/<sha256>/<job>``; None for any other name."""
    parts = name.split("/")
    if len(parts) != 4 or f"{parts[0]}/" != DOCUMENTS:
        return None
    try:
        return DocumentName(UUID(parts[1]), parts[2], UUID(parts[3]))
    except ValueError:
        return None
