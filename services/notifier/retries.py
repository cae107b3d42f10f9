"""What follows from an attempt: delivered, over, or when to try again."""

from collections.abc import Callable
from dataclasses import dataclass
from random import SystemRandom

from services.notifier.channels.answer import Answer
from services.notifier.settings import WebhookSettings
from shared.domain.delivery import DeliveryState

_GONE = 410
_JITTER = 0.2
_CHANCE = SystemRandom()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The delivery's state after the attempt; ``wait_s`` only while it is still pending."""

    state: DeliveryState
    wait_s: float = 0.0


def judge(
    answer: Answer,
    attempt: int,
    settings: WebhookSettings,
    spread: Callable[[float, float], float] = _CHANCE.uniform,
) -> Verdict:
    """Judge the ``attempt``-th answer (from 1). ``spread`` keeps a crowd of retries from arriving at one moment."""
    if answer.status is not None and 200 <= answer.status < 300:
        return Verdict(DeliveryState.DELIVERED)
    if answer.status == _GONE:
        return Verdict(DeliveryState.DISABLED)
    if answer.refused or attempt >= settings.max_attempts:
        return Verdict(DeliveryState.FAILED)
    wait_s = settings.waits_s[min(attempt, len(settings.waits_s)) - 1] * spread(1 - _JITTER, 1 + _JITTER)
    asked_s = min(answer.retry_after_s or 0.0, settings.longest_wait_s)
    return Verdict(DeliveryState.PENDING, max(wait_s, asked_s))
