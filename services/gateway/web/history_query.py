"""The history's filters: what stands in the address, as a form shows it and as the database is asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from services.gateway.parameters import metadata_filter
from services.gateway.problems import Problem
from services.gateway.web.visitors import User
from shared.db.accounts import Role
from shared.db.job_lists import JobFilter
from shared.domain.detection import Tone
from shared.domain.job import JobState
from shared.domain.search_words import words
from shared.domain.verdict import Verdict

FIELDS = ("q", "whose", "outcome", "tone", "model", "min", "max", "from", "until", "metadata")
OUTCOMES = (*Verdict, "open", "failed", "canceled")
_MOST_COUNT = 1_000_000
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """``values`` are the fields that say something, as given."""

    values: Mapping[str, str]
    which: JobFilter

    @property
    def is_filtered(self) -> bool:
        """Whether anything beside whose jobs is asked for."""
        return any(name != "whose" for name in self.values)

    def address(self, path: str, **more: object) -> str:
        """The same query at an address, with further parameters."""
        query = urlencode({**self.values, **more})
        return f"{path}?{query}" if query else path


def read_query(parameters: Mapping[str, str], user: User) -> HistoryQuery:
    """Read the fields. What makes no sense there is left out: addresses are edited by hand, too."""
    values = {name: parameters.get(name, "").replace("\0", "").strip()[:_LONGEST] for name in FIELDS}
    values["whose"] = values["whose"] if values["whose"] in ("mine", "all") else _usual(user)
    start, end = _day(values["from"]), _day(values["until"])
    which = JobFilter(
        states=_states(values["outcome"]),
        verdicts=[values["outcome"]] if values["outcome"] in set(Verdict) else [],
        tones=[Tone(values["tone"])] if values["tone"] in set(Tone) else [],
        created_from=start,
        created_until=end + timedelta(days=1) if end else None,
        metadata=_metadata(values["metadata"]),
        model=values["model"] or None,
        min_count=_number(values["min"]),
        max_count=_number(values["max"]),
        account_id=user.account_id if values["whose"] == "mine" else None,
        words=words(values["q"])[:10],
    )
    return HistoryQuery({name: text for name, text in values.items() if text}, which)


def _usual(user: User) -> str:
    """Operators look for their own documents; the others send none."""
    return "mine" if user.role is Role.OPERATOR else "all"


def _states(outcome: str) -> list[JobState]:
    if outcome == "open":
        return [JobState.QUEUED, JobState.PROCESSING]
    return [JobState(outcome)] if outcome in ("failed", "canceled") else []


def _day(text: str) -> datetime | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if 1970 <= day.year <= 2200 else None


def _number(text: str) -> int | None:
    return min(int(text), _MOST_COUNT) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _metadata(text: str) -> list[tuple[str, list[object]]]:
    try:
        return [metadata_filter(text)] if text else []
    except Problem:
        return []


def cursor(text: str) -> UUID | None:
    """The job a page of the list begins after; None for what is none."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
