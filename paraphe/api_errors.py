"""What a program that calls the API has to expect."""

from collections.abc import Mapping, Sequence
from typing import Any


class ParapheClientError(Exception):
    """Base of everything the client raises on purpose."""


class ServerUnreachableError(ParapheClientError):
    """No answer, however often asked."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url} cannot be reached: {reason}")
        self.url = url


class WaitTimeoutError(ParapheClientError):
    """The job had no outcome in the time given; it goes on."""


class ParapheApiError(ParapheClientError):
    """The server refused. ``code`` is stable, ``detail`` is for people, ``errors`` point at the fields at fault."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code") or f"http_{status}")
        self.detail = str(problem.get("detail") or problem.get("title") or "no detail given")
        self.errors: Sequence[Mapping[str, Any]] = problem.get("errors") or ()
        self.request_id: str | None = problem.get("request_id")
        fields = "".join(f"\n  {error.get('pointer', '')}: {error.get('detail', '')}" for error in self.errors)
        super().__init__(f"{self.code} ({status}): {self.detail}{fields}")
