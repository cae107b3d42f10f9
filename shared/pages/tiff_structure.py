"""A TIFF's skeleton, read without Pillow, to tell a file that was cut from one that is damaged."""

import os
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

_MAX_DIRECTORIES = 2000
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}


@dataclass(frozen=True, slots=True)
class _Dialect:
    """How one of TIFF's two forms writes numbers: byte order, an offset, a count of entries, one entry."""

    order: str
    offset: str
    entries: str
    entry: str


def reaches_past_end(file: BinaryIO) -> bool:
    """Whether a directory, or a value one speaks of, lies beyond the end of the file: then the file was cut."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = 43 in head[2:4]
    dialect = _Dialect(order, "Q", "Q", "HHQ8s") if big else _Dialect(order, "I", "H", "HHI4s")
    try:
        return _any_past_end(file, size, dialect, *struct.unpack_from(order + dialect.offset, head, 8 if big else 4))
    except (struct.error, OverflowError):  # a number cut in two, or one no file can have
        return True


def _any_past_end(file: BinaryIO, size: int, dialect: _Dialect, offset: int) -> bool:
    seen: set[int] = set()
    while offset and offset not in seen and len(seen) < _MAX_DIRECTORIES:
        seen.add(offset)
        file.seek(offset)
        (count,) = _read(file, dialect.order + dialect.entries)
        for _ in range(min(count, size)):
            _, kind, values, place = _read(file, dialect.order + dialect.entry)
            length = _TYPE_BYTES.get(kind, 0) * values
            if length > len(place) and struct.unpack(dialect.order + dialect.offset, place)[0] + length > size:
                return True
        (offset,) = _read(file, dialect.order + dialect.offset)
    return False


def _read(file: BinaryIO, form: str) -> tuple[Any, ...]:
    return struct.unpack(form, file.read(struct.calcsize(form)))
