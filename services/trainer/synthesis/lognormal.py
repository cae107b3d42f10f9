"""The sigma-lognormal model of rapid hand movement (Plamondon): a plan of virtual targets becomes a pen path.

Each stroke between two targets has a lognormal speed profile and turns along a circular arc. Strokes start before the
previous one has ended, so the pen cuts corners the more the writer hurries: this is what makes writing look written.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

STRAIGHT = 1e-3
MAX_TURN = 2.4


@dataclass(frozen=True)
class Rhythm:
    """Timing of one writer's strokes.

    `onset` seconds between stroke starts (smaller = more haste, rounder and less legible), `mu` and `sigma` of the
    lognormal speed profile, `curl` how strongly strokes bend with the turns of the plan (0 = straight segments).
    """

    onset: float = 0.11
    mu: float = -1.9
    sigma: float = 0.30
    curl: float = 0.55


def pen_path(targets: Points, rhythm: Rhythm, samples_per_stroke: int = 14) -> tuple[Points, NDArray[np.float64]]:
    """Move a pen through `targets` (n, 2) and return its positions (m, 2) and its speeds (m,), in target units."""
    chords = np.diff(targets, axis=0)
    lengths = np.hypot(chords[:, 0], chords[:, 1])
    kept = lengths > 1e-9
    chords, lengths = chords[kept], lengths[kept]
    if len(chords) == 0:
        return targets[:1].repeat(2, axis=0), np.zeros(2)
    progress = _stroke_progress(len(chords), rhythm, samples_per_stroke)
    path = targets[0] + _sum_of_arcs(chords, lengths, progress, rhythm.curl)
    steps = np.hypot(*np.diff(path, axis=0).T)
    return path, np.concatenate([steps[:1], steps])


def _stroke_progress(strokes: int, rhythm: Rhythm, samples: int) -> NDArray[np.float64]:
    """Share of each stroke done at each sample, (strokes, times): the lognormal distribution function."""
    starts = np.arange(strokes)[:, None] * rhythm.onset
    end = starts[-1, 0] + np.exp(rhythm.mu + 2.5 * rhythm.sigma)
    times = np.linspace(0.0, end, strokes * samples + samples)[None, :]
    elapsed = np.maximum(times - starts, 1e-6)
    z = (np.log(elapsed) - rhythm.mu) / (rhythm.sigma * np.sqrt(2.0))
    z = np.clip(z, -3.0, 3.0)
    return np.asarray(0.5 * (1.0 + np.tanh(1.1283792 * z + 0.1009 * z**3)))


def _sum_of_arcs(chords: Points, lengths: NDArray[np.float64], progress: NDArray[np.float64], curl: float) -> Points:
    """Displacement (times, 2): every stroke follows an arc over its chord, all strokes add up."""
    angles = np.arctan2(chords[:, 1], chords[:, 0])
    turns = _turns(angles) * curl
    turns = np.where(np.abs(turns) < STRAIGHT, STRAIGHT, turns)
    arc_radius = lengths / (2.0 * np.sin(turns / 2.0))
    first = (angles - turns / 2.0)[:, None]
    phase = first + turns[:, None] * progress
    x = (arc_radius[:, None] * (np.sin(phase) - np.sin(first))).sum(axis=0)
    y = (arc_radius[:, None] * (np.cos(first) - np.cos(phase))).sum(axis=0)
    return np.stack([x, y], axis=1)


def _turns(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean turn at both ends of each stroke, in radians, so that arcs bend the way the plan does."""
    between = np.angle(np.exp(1j * np.diff(angles)))
    around = np.concatenate([[0.0], between, [0.0]])
    mean = (around[:-1] + around[1:]) / 2.0
    return np.asarray(np.clip(mean, -MAX_TURN, MAX_TURN))
