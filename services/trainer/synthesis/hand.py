"""A writer's hand: how one person shapes, leans and joins letters, and what pen they hold."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from services.trainer.synthesis.alphabet import letter
from services.trainer.synthesis.lognormal import Points, Rhythm, pen_path


@dataclass(frozen=True)
class Stroke:
    """One pen-down movement: points (n, 2) in x-heights with y up, and pressure (n,) around 1."""

    points: Points
    pressure: NDArray[np.float64]


@dataclass(frozen=True)
class Hand:
    """One writer: slant (horizontal shift per height), letter width and looseness, haste and tremor."""

    rhythm: Rhythm
    slant: float
    width: float
    spacing: float
    looseness: float
    joined: float
    rise: float
    pressure_swing: float
    capital: float
    ascender: float


def neat_hand(rng: np.random.Generator) -> Hand:
    """A hand that writes to be read: "Lu et approuvé", names, dates."""
    return Hand(
        rhythm=Rhythm(onset=rng.uniform(0.10, 0.15), curl=rng.uniform(0.35, 0.6)),
        slant=rng.normal(0.12, 0.15),
        width=rng.uniform(0.8, 1.15),
        spacing=rng.uniform(0.0, 0.25),
        looseness=rng.uniform(0.03, 0.07),
        joined=rng.uniform(0.2, 1.0),
        rise=rng.normal(0.0, 0.015),
        pressure_swing=rng.uniform(0.1, 0.4),
        capital=rng.uniform(0.9, 1.15),
        ascender=rng.uniform(0.85, 1.05),
    )


def signing_hand(rng: np.random.Generator) -> Hand:
    """A hand that signs: faster, more slanted, wider and less legible than when it writes."""
    return Hand(
        rhythm=Rhythm(
            onset=rng.uniform(0.06, 0.12),
            mu=-1.9 + rng.normal(0, 0.1),
            sigma=rng.uniform(0.2, 0.38),
            curl=rng.uniform(0.4, 0.8),
        ),
        slant=rng.normal(0.3, 0.25),
        width=rng.uniform(0.8, 2.3),
        spacing=rng.uniform(-0.15, 0.35),
        looseness=rng.uniform(0.04, 0.16),
        joined=rng.uniform(0.75, 1.0),
        rise=rng.normal(0.06, 0.10),
        pressure_swing=rng.uniform(0.2, 0.9),
        capital=rng.uniform(1.0, 2.1),
        ascender=rng.uniform(0.8, 1.5),
    )


def with_haste(hand: Hand, haste: float) -> Hand:
    """The same hand in more (haste > 1) or less of a hurry."""
    return replace(hand, rhythm=replace(hand.rhythm, onset=hand.rhythm.onset / haste))


def draw(plan: Points, hand: Hand, rng: np.random.Generator) -> Stroke:
    """Execute one pen-down plan: jitter its targets, run the kinematic model, slant it, derive the pressure."""
    loose = plan + rng.normal(0.0, hand.looseness, plan.shape)
    path, speed = pen_path(loose, hand.rhythm)
    path[:, 0] += hand.slant * path[:, 1]
    return Stroke(path, _pressure(speed, hand, rng))


def _pressure(speed: NDArray[np.float64], hand: Hand, rng: np.random.Generator) -> NDArray[np.float64]:
    """Slow parts are dark and broad, fast ones thin; the pen lands and leaves lightly."""
    relative = speed / (np.median(speed) + 1e-9)
    pressure = 1.0 - hand.pressure_swing * np.tanh(0.8 * (relative - 1.0))
    ends = max(2, len(speed) // 25)
    pressure[-ends:] *= np.linspace(1.0, rng.uniform(0.3, 0.9), ends)
    return np.asarray(np.clip(pressure, 0.25, 2.0))


def write(text: str, hand: Hand, rng: np.random.Generator) -> list[Stroke]:
    """Write `text` on one line from x = 0 on the baseline; letters join as the hand is used to."""
    strokes: list[Stroke] = []
    pending: list[Points] = []
    later: list[Points] = []
    x = 0.0

    def lift() -> None:
        plans = ([np.concatenate(pending)] if pending else []) + later
        strokes.extend(draw(plan, hand, rng) for plan in plans)
        pending.clear()
        later.clear()

    for char in text:
        width, plans = letter(char)
        placed = [_place(plan, x, char, hand) for plan in plans]
        if not placed or char in ".,-/'" or char.isdigit() or rng.random() > hand.joined:
            lift()
        if placed:
            pending.append(placed[0])
            later.extend(placed[1:])
        if char.isupper() and len(placed) > 1:
            lift()
        x += width * _scale(char, hand) * hand.width + hand.spacing
    lift()
    return strokes


def _scale(char: str, hand: Hand) -> float:
    return hand.capital if char.isupper() else 1.0


def _place(plan: Points, x: float, char: str, hand: Hand) -> Points:
    scaled = plan * _scale(char, hand)
    tall = scaled[:, 1] > 1.2
    scaled[tall, 1] *= hand.ascender
    scaled[:, 0] = scaled[:, 0] * hand.width + x
    scaled[:, 1] += hand.rise * scaled[:, 0]
    return scaled
