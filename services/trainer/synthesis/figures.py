"""Line figures within seals and coats of arms: wreaths, shields, birds, leaves, outlines of countries, monograms.

Each is a list of lines (n, 2) within -1..1, y downwards.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Outlines = list[Values]
Rng = np.random.Generator


def figure(rng: Rng) -> Outlines:
    """One figure, or two laid over one another."""
    drawings: tuple[Callable[[Rng], Outlines], ...] = (wreath, shield, bird, leaves, country, monogram, rosette)
    drawn = drawings[int(rng.integers(len(drawings)))](rng)
    if rng.random() < 0.35:
        drawn = drawn + [line * rng.uniform(0.35, 0.6) for line in drawings[int(rng.integers(len(drawings)))](rng)]
    return drawn


def wreath(rng: Rng) -> Outlines:
    """Two branches of leaves that meet below, often a star between."""
    radius, count = rng.uniform(0.65, 0.9), int(rng.integers(7, 14))
    lines = []
    for side in (-1, 1):
        angle = np.linspace(np.pi / 2, np.pi / 2 - 2.4, count)
        stem = np.stack([side * np.cos(angle), np.sin(angle)], 1) * radius
        lines.append(stem)
        for place in stem:
            lines += [_leaf(place, place * out + rng.normal(0, 0.03, 2), 0.05) for out in (0.75, 1.2)]
    return [*lines, star(rng.uniform(0.2, 0.4))] if rng.random() < 0.6 else lines


def _leaf(start: Values, tip: Values, width: float) -> Values:
    along = tip - start
    across = np.array([-along[1], along[0]]) / (np.hypot(*along) + 1e-6) * width
    middle = (start + tip) / 2
    return np.array([start, middle + across, tip, middle - across, start])


def star(size: float) -> Values:
    """Five points, the first upwards, closed; `size` from the middle to a point."""
    angle = np.arange(11) * np.pi / 5 - np.pi / 2
    reach = np.where(np.arange(11) % 2 == 0, size, size * 0.4)
    return np.asarray(np.stack([np.cos(angle) * reach, np.sin(angle) * reach], 1))


def shield(rng: Rng) -> Outlines:
    """A quartered shield with small things in its fields and a ribbon below."""
    t = np.linspace(0, 1, 12)
    side = np.stack([0.6 * (1 - t**3), -0.7 + 1.4 * t], 1)
    outline = np.concatenate([[[-0.6, -0.7]], side, side[::-1] * [-1, 1]])
    lines: Outlines = [outline, np.array([[0, -0.7], [0, 0.6]]), np.array([[-0.6, -0.1], [0.6, -0.1]])]
    for x, y in ((-0.3, -0.4), (0.3, -0.4), (-0.25, 0.2), (0.25, 0.2)):
        small = star(0.16) if rng.random() < 0.4 else _scrawl(rng, 9) * 0.18
        lines.append(small + np.array([x, y]))
    ribbon = np.stack([np.linspace(-0.9, 0.9, 20), 0.85 + 0.1 * np.cos(np.linspace(-3, 3, 20))], 1)
    return [*lines, ribbon, ribbon + np.array([0, 0.12])]


def bird(rng: Rng) -> Outlines:
    """An eagle: body, head, two fans of feathers."""
    angle = np.linspace(0, 2 * np.pi, 16)
    lines: Outlines = [np.stack([np.cos(angle) * 0.18, np.sin(angle) * 0.4], 1)]
    lines.append(np.stack([np.cos(angle) * 0.12 + 0.05, np.sin(angle) * 0.12 - 0.5], 1))
    lift = rng.uniform(0.2, 0.8)
    for side in (-1, 1):
        for number in range(int(rng.integers(5, 9))):
            spread = 0.1 + number * 0.13
            tip = np.array([side * (0.35 + spread * 0.7), -lift + spread + rng.normal(0, 0.03)])
            lines.append(_leaf(np.array([side * 0.15, -0.25]), tip, 0.05))
    tail = [_leaf(np.array([0.0, 0.3]), np.array([x, 0.8]), 0.05) for x in np.linspace(-0.25, 0.25, 4)]
    return [*lines, *tail]


def leaves(rng: Rng) -> Outlines:
    """A flower or tree: petals round a heart, a stem with leaves."""
    count = int(rng.integers(5, 10))
    turn = np.arange(count) * 2 * np.pi / count + rng.uniform(0, 1)
    heart = np.array([0.0, -0.2])
    petals = [_leaf(heart, heart + 0.6 * np.array([np.cos(a), np.sin(a)]), rng.uniform(0.08, 0.22)) for a in turn]
    stem = np.stack([0.1 * np.sin(np.linspace(0, 3, 10)), np.linspace(-0.1, 0.95, 10)], 1)
    beside = [_leaf(stem[6], stem[6] + np.array([side * 0.5, -0.2]), 0.1) for side in (-1, 1)]
    return [*petals, stem, *beside]


def country(rng: Rng) -> Outlines:
    """The outline of a land with its rivers."""
    count = 40
    angle = np.arange(count + 1) * 2 * np.pi / count
    rough = rng.normal(0, 0.09, count)
    radius = 0.65 + np.convolve(np.tile(rough, 3), np.ones(3) / 2, "same")[count : 2 * count]
    radius = np.append(radius, radius[0])
    coast = np.stack([np.cos(angle), np.sin(angle)], 1) * radius[:, None] * rng.uniform(0.7, 1.0, 2)
    rivers = [coast[int(rng.integers(count))] * np.linspace(1, 0.1, 8)[:, None] for _ in range(int(rng.integers(1, 5)))]
    return [coast, *(river + rng.normal(0, 0.03, river.shape) for river in rivers)]


def monogram(rng: Rng) -> Outlines:
    """Strokes interlaced as in a firm's device."""
    return [_scrawl(rng, int(rng.integers(5, 10))) * 0.8 for _ in range(int(rng.integers(1, 3)))]


def _scrawl(rng: Rng, knots: int) -> Values:
    """A smooth closed wandering line."""
    t = np.linspace(0, 2 * np.pi, 60)
    waves = [rng.normal(0, 1 / k, 2) * np.sin(k * t)[:, None] + rng.normal(0, 1 / k, 2) * np.cos(k * t)[:, None]
             for k in range(1, knots // 2 + 1)]  # fmt: skip
    line = np.sum(waves, axis=0)
    return np.asarray(line / np.abs(line).max())


def rosette(rng: Rng) -> Outlines:
    """The interlaced ovals that security printers engrave."""
    t = np.linspace(0, 2 * np.pi, 240)
    petals, depth = int(rng.integers(5, 14)), rng.uniform(0.2, 0.5)
    rounds = int(rng.integers(1, 4))
    return [
        np.stack([np.cos(t), np.sin(t)], 1) * (0.6 + depth * 0.8 * np.cos(petals * t + phase))[:, None]
        for phase in np.arange(rounds) * np.pi / rounds
    ]
