"""What the filters of lists have in common: fields in the address, days, the place a page begins at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

DAYS = ("from", "until", "zone")
"""The fields of a period."""

_BESIDE = ("whose", "zone")
_LONGEST = 200


Which = TypeVar("Which")


@dataclass(frozen=True, slots=True)
class Query(Generic[Which]):
    """``values`` are the fields that say something, as given; ``which`` is what they ask of the database."""

    values: Mapping[str, str]
    which: Which

    @property
    def is_filtered(self) -> bool:
        """Whether anything beside whose lines is asked for."""
        return any(name not in _BESIDE for name in self.values)

    def address(self, path: str, **more: object) -> str:
        """The same query at an address, with further parameters."""
        query = urlencode({**self.values, **more})
        return f"{path}?{query}" if query else path


def texts(parameters: Mapping[str, str], fields: Sequence[str]) -> dict[str, str]:
    """The fields that hold something, trimmed to what a database takes."""
    given = {name: parameters.get(name, "").replace("\0", "").strip()[:_LONGEST] for name in fields}
    return {name: text for name, text in given.items() if text}


def period(values: Mapping[str, str]) -> tuple[datetime | None, datetime | None]:
    """``DAYS`` as [from, until) in UTC, both days included, None for what is no day.

    Days begin where the reader is, as the times they see do: in ``zone``, which our script fills in, else in UTC.
    """
    zone, first, last = _zone(values.get("zone", "")), _day(values.get("from", "")), _day(values.get("until", ""))
    return (_beginning(first, zone) if first else None, _beginning(last + timedelta(days=1), zone) if last else None)


def _beginning(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _day(text: str) -> date | None:
    """A day given as 2026-05-31."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1970 <= found.year <= 2200 else None


def _zone(name: str) -> tzinfo:
    """A zone as browsers name it, Europe/Paris; UTC for one that this machine does not know."""
    try:
        return ZoneInfo(name) if name else UTC
    except (KeyError, ValueError, OSError):
        return UTC


def cursor(text: str) -> UUID | None:
    """The line a page of a list begins after; None for what is none."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
