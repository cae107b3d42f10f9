"""Bar charts as numbers a template draws SVG from: no script, no style, sharp at any size."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

HEIGHT = 100.0
_STEP = 10.0
_BAR = 8.0


@dataclass(frozen=True, slots=True)
class Segment:
    """A rectangle of a bar; ``kind`` is its class."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Stacked bars in a box ``width`` by 100; ``top`` is the value at its upper edge."""

    width: float
    top: float
    segments: Sequence[Segment]


def stacked_bars(kinds: Sequence[str], bars: Sequence[Sequence[float]]) -> Chart:
    """One bar for each row of values, which are stacked from below in the order of ``kinds``."""
    top = round_up(max((sum(bar) for bar in bars), default=0))
    segments = []
    for index, bar in enumerate(bars):
        base = HEIGHT
        for kind, value in zip(kinds, bar, strict=True):
            height = value / top * HEIGHT
            base -= height
            if value:
                x = index * _STEP + (_STEP - _BAR) / 2
                segments.append(Segment(kind, x, round(base, 3), _BAR, round(height, 3)))
    return Chart(max(len(bars), 1) * _STEP, top, segments)


def round_up(value: float) -> float:
    """The next number of the form 1, 2 or 5 times a power of ten: an axis ends there."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9))
