"""Identifiers that sort by the time they were made, and can tell what they were made of."""

import secrets
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

# The end of an id. As many bits tell an origin; the other 42 random ones keep apart what is made of one origin at once.
_ORIGIN_BITS = (1 << 32) - 1


CLOCKS_APART = timedelta(hours=1)
"""More than an id can be older or newer than its row: it is made a little before, by the clock of another machine."""


def new_id() -> UUID:
    """A version 7 UUID (RFC 9562): milliseconds since the epoch, then random bits. Newest-first lists sort by it."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def new_id_from(origin: UUID) -> UUID:
    """A new id that ends as ``origin`` does, so that one can tell for good what it was made of."""
    return UUID(int=new_id().int & ~_ORIGIN_BITS | origin.int & _ORIGIN_BITS)


def comes_from(made: UUID, origin: UUID) -> bool:
    """Whether an id was made with ``new_id_from(origin)``; of four thousand million others one seems to be."""
    return not (made.int ^ origin.int) & _ORIGIN_BITS


def first_id_at(moment: datetime, offset: timedelta = timedelta()) -> UUID:
    """The smallest id that can have been made at this moment plus ``offset``; for moments before 1970 it is 0."""
    milliseconds = int((moment.timestamp() + offset.total_seconds()) * 1000)
    return UUID(int=min(max(milliseconds, 0), 0xFFFF_FFFF_FFFF) << 80)


def moment_of(made: UUID) -> datetime:
    """When an id of ``new_id`` was made, to the millisecond."""
    return datetime.fromtimestamp((made.int >> 80) / 1000, UTC)
