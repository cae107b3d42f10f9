"""A PNG's chunks, read without Pillow, which skips the checksums of the pixels and so shows damaged ones."""

import os
import struct
import zlib
from typing import BinaryIO

from shared.domain.errors import DocumentError, ErrorCode
from shared.pages.document import truncated

_SIGNATURE_BYTES = 8
_FRAME_BYTES = 12  # length, name and checksum around a chunk's content
_BLOCK_BYTES = 1024 * 1024
_CHECKED = (b"IHDR", b"PLTE", b"IDAT")


def check_chunks(file: BinaryIO) -> None:
    """Refuse a PNG that ends before its end chunk, or whose header, palette or pixels fail their checksum."""
    size = file.seek(0, os.SEEK_END)
    place = _SIGNATURE_BYTES
    name = b""
    while name != b"IEND":
        file.seek(place)
        head = file.read(8)
        length = int.from_bytes(head[:4], "big")
        name = head[4:]
        if place + _FRAME_BYTES + length > size:
            raise truncated("The image")
        if name in _CHECKED and not _is_whole(file, name, length):
            raise DocumentError(ErrorCode.CORRUPT_DOCUMENT, "The image fails its own checksum; send the file again.")
        place += _FRAME_BYTES + length
    file.seek(0)


def _is_whole(file: BinaryIO, name: bytes, length: int) -> bool:
    checksum = zlib.crc32(name)
    for start in range(0, length, _BLOCK_BYTES):
        checksum = zlib.crc32(file.read(min(_BLOCK_BYTES, length - start)), checksum)
    return file.read(4) == struct.pack(">I", checksum)
