"""Recognise a document by its content, never by its name."""

import re

HEAD_BYTES = 1024
"""How many leading bytes :func:`media_type` wants to see."""

_SIGNATURES: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("image/jpeg", re.compile(rb"\xff\xd8\xff")),
    ("image/png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("image/tiff", re.compile(rb"II[*+]\x00|MM\x00[*+]")),
    ("image/webp", re.compile(rb"RIFF.{4}WEBP", re.DOTALL)),
    # Scanners and mail gateways put junk before the header; every reader accepts it within the first kilobyte.
    ("application/pdf", re.compile(rb".{0,1019}?%PDF-", re.DOTALL)),
)

MEDIA_TYPES: tuple[str, ...] = tuple(name for name, _ in _SIGNATURES)
"""Every media type that can be rendered."""


def media_type(head: bytes) -> str | None:
    """The media type of a document that starts with ``head`` (its first ``HEAD_BYTES``), or None if not one of ours."""
    for name, pattern in _SIGNATURES:
        if pattern.match(head[:HEAD_BYTES]):
            return name
    return None
