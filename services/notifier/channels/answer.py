"""What every channel makes of an attempt, and what is asked of a channel."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.domain.delivery import DueDelivery

MAX_DETAIL = 1000


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one attempt. ``refused``: the address is one we do not send to, or never can, now or later.

    ``status`` is HTTP's, or SMTP's (250: taken); None when there was no answer.
    """

    at: datetime
    milliseconds: float
    status: int | None = None
    error: str | None = None
    retry_after_s: float | None = None
    refused: bool = False


class Sender(Protocol):
    """One way to reach an address."""

    def send(self, due: DueDelivery) -> Answer:
        """One attempt, over in limited time. Does not raise: whatever happens is an answer."""
