"""What follows from an answer."""

from datetime import UTC, datetime

import pytest

from services.notifier.channels.answer import Answer
from services.notifier.retries import Verdict, judge
from services.notifier.settings import WebhookSettings
from shared.domain.delivery import DeliveryState

SETTINGS = WebhookSettings()


def answer(status: int | None = None, *, retry_after_s: float | None = None, refused: bool = False) -> Answer:
    return Answer(datetime.now(UTC), 5.0, status, None, retry_after_s, refused)


def no_spread(low: float, high: float) -> float:
    return (low + high) / 2


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_is_delivered(status: int) -> None:
    assert judge(answer(status), 1, SETTINGS) == Verdict(DeliveryState.DELIVERED)


def test_410_disables() -> None:
    assert judge(answer(410), 1, SETTINGS) == Verdict(DeliveryState.DISABLED)


@pytest.mark.parametrize("status", [None, 100, 301, 302, 307, 400, 404, 429, 500, 503])
def test_everything_else_is_tried_again(status: int | None) -> None:
    assert judge(answer(status), 1, SETTINGS).state is DeliveryState.PENDING


def test_a_refused_url_is_not_tried_again() -> None:
    assert judge(answer(refused=True), 1, SETTINGS) == Verdict(DeliveryState.FAILED)


def test_the_last_attempt_ends_it() -> None:
    assert judge(answer(500), SETTINGS.max_attempts - 1, SETTINGS).state is DeliveryState.PENDING
    assert judge(answer(500), SETTINGS.max_attempts, SETTINGS) == Verdict(DeliveryState.FAILED)


def test_waits_grow_to_about_three_days_in_all() -> None:
    waits = [judge(answer(500), attempt, SETTINGS, no_spread).wait_s for attempt in range(1, SETTINGS.max_attempts)]
    assert waits[:6] == [5, 30, 120, 600, 1800, 7200]
    assert waits == sorted(waits)
    assert 2 < sum(waits) / 86400 < 4


def test_waits_are_spread() -> None:
    waits = {judge(answer(500), 2, SETTINGS).wait_s for _ in range(50)}
    assert len(waits) > 10
    assert all(24 <= wait <= 36 for wait in waits)


def test_retry_after_is_a_least_wait() -> None:
    assert judge(answer(429, retry_after_s=300), 1, SETTINGS).wait_s == 300
    assert judge(answer(429, retry_after_s=1), 1, SETTINGS, no_spread).wait_s == 5


def test_a_retry_after_without_measure_is_cut() -> None:
    assert judge(answer(503, retry_after_s=1e9), 1, SETTINGS).wait_s == SETTINGS.longest_wait_s
