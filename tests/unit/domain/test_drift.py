"""What counts as drift, and what is chance or too little to say."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.drift import CONFIDENCE_BINS, changed_share, stability_index

USUAL = (0, 40, 30, 30, 40, 60, 100, 200, 400, 100)
counts = st.lists(st.integers(0, 10_000), min_size=CONFIDENCE_BINS, max_size=CONFIDENCE_BINS)


def test_the_same_distribution_is_no_drift_however_many_there_are() -> None:
    index = stability_index([5 * one for one in USUAL], USUAL)
    assert index is not None
    assert index < 0.01


@given(counts, counts)
def test_it_is_never_negative_and_the_same_both_ways(one: list[int], other: list[int]) -> None:
    index, reverse = stability_index(one, other), stability_index(other, one)
    if index is not None and reverse is not None:
        assert index >= 0
        assert index == pytest.approx(reverse)


def test_a_model_that_has_become_unsure_is_seen() -> None:
    index = stability_index((0, 200, 200, 200, 150, 100, 50, 50, 30, 20), USUAL)
    assert index is not None
    assert index > 0.25


def test_chance_alone_does_not_reach_the_alert() -> None:
    chance = random.Random(7)
    found = 0
    for _ in range(500):
        tenths = chance.choices(range(CONFIDENCE_BINS), USUAL, k=100)
        index = stability_index([tenths.count(tenth) for tenth in range(CONFIDENCE_BINS)], USUAL)
        assert index is not None
        found += index > 0.25
    assert found <= 5


@pytest.mark.parametrize(("recent", "before"), [(99, 5000), (5000, 499), (0, 0)])
def test_of_few_nothing_is_said(recent: int, before: int) -> None:
    rest = [0] * (CONFIDENCE_BINS - 1)
    assert stability_index([recent, *rest], [before, *rest]) is None


def test_a_share_of_changed_pages() -> None:
    assert changed_share(5, 100) == 0.05
    assert changed_share(5, 99) is None
    assert changed_share(300, 100) == 1.0  # people may look at pages long after they were examined
