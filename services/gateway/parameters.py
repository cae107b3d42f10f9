"""Parameters that need more than a type: headers that may be ignored, cursors, filters."""

import base64
import binascii
import json
import math
import re
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Path

from services.gateway.problems import invalid

JobId = Annotated[UUID, Path(description="Id of a job")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        description="Repeating a request with the same key and content gives the first request's job",
        min_length=1,
        max_length=255,
        pattern=r"^[\x20-\x7e]+$",
    ),
]
Prefer = Annotated[
    str | None, Header(description="`wait=N`: wait up to N (at most 60) seconds for the result", examples=["wait=10"])
]
_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,6})\"?\s*(?=$|[,;])", re.IGNORECASE)


def preferred_wait_s(prefer: str | None, most_s: float) -> float:
    """Seconds a ``Prefer`` header asks to wait. What is not understood there is to be ignored (RFC 7240)."""
    found = _WAIT.search(prefer or "")
    return min(float(found.group(1)), most_s) if found else 0.0


def encode_cursor(last: UUID) -> str:
    """An opaque cursor: everything older than this job."""
    return base64.urlsafe_b64encode(last.bytes).decode().rstrip("=")


def decode_cursor(cursor: str) -> UUID:
    """The inverse, or a problem."""
    try:
        return UUID(bytes=base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise invalid("/query/cursor", "This is not a cursor from an earlier answer.") from error


def metadata_filter(text: str) -> tuple[str, list[Any]]:
    """``key`` or ``key:value``: the key and the values that count as equal (none: any value).

    A value may have been kept as text or as the number, truth value or null it reads as.
    """
    key, colon, value = text.partition(":")
    if not key or "\0" in text:
        raise invalid("/query/metadata", "Give key or key:value.")
    if not colon:
        return key, []
    values: list[Any] = [value]
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        return key, values
    if parsed is None or isinstance(parsed, int) or (isinstance(parsed, float) and math.isfinite(parsed)):
        values.append(parsed)
    return key, values


def json_body(schema: str) -> dict[str, Any]:
    """OpenAPI for a JSON body that the route reads itself, within a limit."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"requestBody": {"required": True, "content": content}}
