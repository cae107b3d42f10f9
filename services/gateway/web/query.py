"""What the filters of lists have in common: fields in the address, days, the place a page begins at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID

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
        return any(name != "whose" for name in self.values)

    def address(self, path: str, **more: object) -> str:
        """The same query at an address, with further parameters."""
        query = urlencode({**self.values, **more})
        return f"{path}?{query}" if query else path


def texts(parameters: Mapping[str, str], fields: Sequence[str]) -> dict[str, str]:
    """The fields that hold something, trimmed to what a database takes."""
    given = {name: parameters.get(name, "").replace("\0", "").strip()[:_LONGEST] for name in fields}
    return {name: text for name, text in given.items() if text}


def day(text: str) -> datetime | None:
    """The beginning of a day given as 2026-05-31, in UTC; None for what is no day."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return datetime(found.year, found.month, found.day, tzinfo=UTC) if 1970 <= found.year <= 2200 else None


def day_after(text: str) -> datetime | None:
    """The end of that day."""
    begins = day(text)
    return begins + timedelta(days=1) if begins else None


def cursor(text: str) -> UUID | None:
    """The line a page of a list begins after; None for what is none."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
