"""A document on its way in: hashed while it arrives, spooled to disk beyond a small size, never whole in memory."""

import errno
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from fastapi.concurrency import run_in_threadpool

from services.gateway.problems import Problem
from shared.domain.errors import ErrorCode
from shared.pages.sniff import HEAD_BYTES, media_type

_ALIASES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "image/tif": "image/tiff",
    "image/x-tiff": "image/tiff",
    "image/x-tif": "image/tiff",
    "application/x-pdf": "application/pdf",
}
_UNDECLARED = ("", "application/octet-stream", "binary/octet-stream")


@dataclass(frozen=True, slots=True)
class ReceivedDocument:
    """A whole document. ``file`` stands at its beginning and is closed by ``close``."""

    file: BinaryIO
    size: int
    sha256: str
    media_type: str
    filename: str | None

    def close(self) -> None:
        """Delete the spooled bytes."""
        self.file.close()


class Intake:
    """Takes a document's bytes as they come. ``limit`` in bytes; beyond it ``write`` raises a problem."""

    def __init__(self, limit: int, spool_bytes: int) -> None:
        self._limit = limit
        self._spool_bytes = spool_bytes
        self._file = SpooledTemporaryFile(max_size=spool_bytes)  # noqa: SIM115 - lives as long as the document
        self._hash = hashlib.sha256()
        self._pending = bytearray()
        self._head = b""
        self.size = 0

    def write(self, data: bytes | memoryview) -> None:
        """Take some bytes; call ``settle`` now and then, so that few wait in memory."""
        self.size += len(data)
        if self.size > self._limit:
            raise too_large(self._limit)
        self._pending += data

    async def settle(self) -> None:
        """Hash and store what waits, in a thread, once it is worth a thread."""
        if len(self._pending) >= self._spool_bytes:
            await run_in_threadpool(self._flush)

    def _flush(self) -> None:
        if not self._head:
            self._head = bytes(self._pending[:HEAD_BYTES])
        self._hash.update(self._pending)
        with _full_folder_named():
            self._file.write(self._pending)
        self._pending.clear()

    def finish(self, declared_type: str, filename: str | None) -> ReceivedDocument:
        """The document, all bytes written, or the problem with it."""
        self._flush()
        found = check_type(self._head, declared_type)
        with _full_folder_named():
            self._file.seek(0)  # writes what is in its buffer
        return ReceivedDocument(cast(BinaryIO, self._file), self.size, self._hash.hexdigest(), found, filename)

    def close(self) -> None:
        """Delete what has arrived."""
        with suppress(OSError):  # closing writes what is in the buffer, for which a full folder has no room
            self._file.close()


@contextmanager
def _full_folder_named() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise Problem(
            ErrorCode.INTERNAL_ERROR,
            "The gateway's temporary folder is full; send the document again later.",
            status=503,
        ) from error


def check_type(head: bytes, declared_type: str) -> str:
    """The media type of a document that starts with ``head``, which must be what it was declared as."""
    if not head:
        raise Problem(ErrorCode.EMPTY_DOCUMENT, "The file is empty; send a document.")
    found = media_type(head)
    declared = _ALIASES.get(declared_type, declared_type)
    if found is None:
        raise Problem(
            ErrorCode.UNSUPPORTED_TYPE, "The content is not PDF, TIFF, JPEG, PNG or WebP; convert it to one of these."
        )
    if declared not in _UNDECLARED and declared != found:
        raise Problem(
            ErrorCode.WRONG_CONTENT_TYPE, f"Declared as {declared}, but the content is {found}. Correct one of them."
        )
    return found


def too_large(limit: int) -> Problem:
    """The problem of a document beyond ``limit`` bytes."""
    return Problem(ErrorCode.DOCUMENT_TOO_LARGE, f"The document is larger than {limit:,} bytes; send it in parts.")
