"""The history's filters: what stands in the address, as a form shows it and as the database is asked."""

from collections import defaultdict
from collections.abc import Mapping

from services.gateway.parameters import metadata_filter
from services.gateway.problems import Problem
from services.gateway.web.query import DAYS, Query, period, texts
from services.gateway.web.visitors import User
from shared.db.accounts import Role
from shared.db.job_lists import JobFilter
from shared.domain.detection import Tone
from shared.domain.job import JobState
from shared.domain.search_words import words
from shared.domain.verdict import Verdict

FIELDS = ("q", "whose", "outcome", "tone", "model", "min", "max", *DAYS, "metadata")
OUTCOMES = (*Verdict, "open", "failed", "canceled")
_MOST_COUNT = 1_000_000

HistoryQuery = Query[JobFilter]


def read_query(parameters: Mapping[str, str], user: User) -> HistoryQuery:
    """Read the fields. What makes no sense there is left out: addresses are edited by hand, too."""
    values = texts(parameters, FIELDS)
    whose = values.get("whose")
    values["whose"] = whose if whose in ("mine", "all") else _usual(user)
    field = defaultdict(str, values)
    created_from, created_until = period(values)
    which = JobFilter(
        states=_states(field["outcome"]),
        verdicts=[field["outcome"]] if field["outcome"] in set(Verdict) else [],
        tones=[Tone(field["tone"])] if field["tone"] in set(Tone) else [],
        created_from=created_from,
        created_until=created_until,
        metadata=_metadata(field["metadata"]),
        model=field["model"] or None,
        min_count=_number(field["min"]),
        max_count=_number(field["max"]),
        account_id=user.account_id if values["whose"] == "mine" else None,
        words=words(field["q"])[:10],
        as_corrected=True,
    )
    return Query(values, which)


def _usual(user: User) -> str:
    """Operators look for their own documents; the others send none."""
    return "mine" if user.role is Role.OPERATOR else "all"


def _states(outcome: str) -> list[JobState]:
    if outcome == "open":
        return [JobState.QUEUED, JobState.PROCESSING]
    return [JobState(outcome)] if outcome in ("failed", "canceled") else []


def _number(text: str) -> int | None:
    return min(int(text), _MOST_COUNT) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _metadata(text: str) -> list[tuple[str, list[object]]]:
    try:
        return [metadata_filter(text)] if text else []
    except Problem:
        return []
