"""Ids tell when they were made, and of what."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from shared.domain.ids import comes_from, first_id_at, new_id, new_id_from

ORIGIN = new_id()


@pytest.mark.parametrize("make", [new_id, lambda: new_id_from(ORIGIN)], ids=["of nothing", "of an origin"])
def test_an_id_is_not_before_its_moment_nor_after_the_next(make: Callable[[], UUID]) -> None:
    before = datetime.now(UTC)
    made = make()
    after = datetime.now(UTC) + timedelta(milliseconds=1)
    assert first_id_at(before) <= made < first_id_at(after)
    assert made.version == 7


def test_moments_outside_are_at_the_ends() -> None:
    assert first_id_at(datetime(1900, 1, 1, tzinfo=UTC)).int == 0


def test_ids_made_of_one_origin_in_one_millisecond_are_all_different_and_all_tell_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: at)
    made = {new_id_from(ORIGIN) for _ in range(1000)}
    assert len(made) == 1000
    assert all(comes_from(one, ORIGIN) for one in made)
    assert not any(comes_from(new_id(), ORIGIN) for _ in range(1000))
