"""Whether a model still sees what it used to see."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Confidences are counted by tenths: 0 up to 0.1, …, 0.9 up to 1.
CONFIDENCE_BINS = 10
# With fewer the index is mostly chance: with 100 signatures and no drift it stays below 0.25 in 997 cases of 1000.
FEWEST_RECENT = 100
FEWEST_BEFORE = 500
# Of so few pages a share says nothing.
FEWEST_PAGES = 100


@dataclass(frozen=True, slots=True)
class Standing:
    """How a model version does against its own past; None where there is too little to say.

    ``stability``: of its confidences, see ``stability_index``. The others: share (0..1) of the examined pages that
    people changed.
    """

    stability: float | None
    changed_lately: float | None
    changed_before: float | None


def stability_index(recent: Sequence[int], before: Sequence[int]) -> float | None:
    """Population stability index of two counts over the same bins; None when there are too few to say.

    0 is the same distribution; by custom below 0.1 is no change, above 0.25 a change to look into. Half a case is added
    to each bin, so that an empty one costs little instead of everything.
    """
    if sum(recent) < FEWEST_RECENT or sum(before) < FEWEST_BEFORE:
        return None
    pairs = list(zip(_shares(recent), _shares(before), strict=True))
    return sum((now - then) * math.log(now / then) for now, then in pairs)


def changed_share(changed: int, examined: int) -> float | None:
    """Changed of examined pages, 0..1; None when there are too few. Pages may be changed long after: at most 1."""
    return min(changed / examined, 1.0) if examined >= FEWEST_PAGES else None


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts) + len(counts) / 2
    return [(count + 0.5) / total for count in counts]
