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


class ForeignAnswerError(ParapheClientError):
    """What answered is not Paraphe, or not a version that this client knows."""

    def __init__(self, url: str, answer: str) -> None:
        super().__init__(
            f"{url} answered, but not as Paraphe does ({answer}); check the address, or update this client"
        )


class WaitTimeoutError(ParapheClientError):
    """The job had no outcome in the time given; it goes on."""


class ParapheApiError(ParapheClientError):
    """The server refused. ``code`` is stable, ``detail`` is for people, ``errors`` point at the fields at fault."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code") or f"http_{status}")
        self.detail = str(problem.get("detail") or problem.get("title") or "no detail given")
        self.errors: Sequence[Mapping[str, Any]] = _mappings(problem.get("errors"))
        self.request_id: str | None = problem.get("request_id")
        super().__init__(f"{self.code} ({status}): {self.explanation}")

    @property
    def explanation(self) -> str:
        """The detail and, a line each, the fields at fault."""
        return self.detail + "".join(f"\n  {one.get('pointer', '')}: {one.get('detail', '')}" for one in self.errors)


def _mappings(told: Any) -> Sequence[Mapping[str, Any]]:
    """Of a list its mappings; whoever else answers may call anything ``errors``."""
    return [one for one in told if isinstance(one, Mapping)] if isinstance(told, list) else []
