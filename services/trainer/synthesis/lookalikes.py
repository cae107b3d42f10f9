"""What is curved, thin and dark like a signature and is none: words with a ring round them, formulas, scrolls."""

import numpy as np
from numpy.typing import NDArray

from services.trainer.synthesis.desk import Desk
from services.trainer.synthesis.faces import SANS, SERIF, face
from services.trainer.synthesis.hand import draw, neat_hand
from services.trainer.synthesis.ink import Colour, Ink, pen_colour, rasterise_at
from services.trainer.synthesis.ornaments import brand_colour, print_lines

Values = NDArray[np.float64]


def ringed_word(desk: Desk, x: float, y: float) -> None:
    """A word, year or number written by hand with a ring drawn round it, its left at x and its middle at y."""
    rng, words = desk.rng, desk.words
    said = (words.pick("city"), str(rng.integers(1962, 2026)), words.number(2), words.pick("note"), words.pick("last"))
    text = said[int(rng.integers(len(said)))][:14]
    size = rng.uniform(2.0, 4.5)
    colour = pen_colour(rng, desk.blue)
    desk.handwrite(text, x, y, size, colour)
    wide = max(size * 3, size * 1.5 * len(text))
    ring(desk, x + wide * 0.45, y, wide * rng.uniform(1.15, 1.6), size * rng.uniform(3.5, 6.5), colour)


def ring(desk: Desk, x: float, y: float, width: float, height: float, colour: Colour | None = None) -> None:
    """A ring drawn by pen around the point x, y: round what is written or printed there."""
    rng = desk.rng
    angle = np.linspace(0, 2 * np.pi + rng.uniform(-0.3, 0.9), 14) + rng.uniform(0, 6)
    shape = np.stack([np.cos(angle) * width / 2, np.sin(angle) * height / 2], 1) * rng.uniform(0.94, 1.06, (14, 1))
    stroke = draw(shape, neat_hand(rng), rng)
    alpha = rasterise_at([stroke], desk.sheet.scale, desk.nib())
    desk.sheet.put("handwriting", Ink(alpha, colour or pen_colour(rng, desk.blue)), x, y)


def structural_formula(desk: Desk, x: float, y: float, bond: float) -> float:
    """Rings, chains and groups of a chemist's drawing from x, y on, bonds `bond` mm long; returns its height in mm."""
    rng, sheet = desk.rng, desk.sheet
    font = face(SANS if rng.random() < 0.5 else SERIF, sheet.px(bond * 0.5))
    sides = int(rng.choice([5, 6, 6, 6, 8]))
    radius = bond / 2 / np.sin(np.pi / sides)
    centre = np.array([x + radius, y + radius])
    turn = rng.uniform(0, 2 * np.pi)
    corners = [centre + radius * np.array([np.cos(a), np.sin(a)]) for a in turn + np.arange(sides) * 2 * np.pi / sides]
    for number, start in enumerate(corners):
        end = corners[(number + 1) % sides]
        _bond(desk, start, end, double=centre if number % 2 and rng.random() < 0.8 else None)
    for number in rng.permutation(sides)[: int(rng.integers(1, 4))]:
        away = corners[number] + (corners[number] - centre) / radius * bond
        _bond(desk, corners[number], away)
        group = str(rng.choice(["OH", "CH3", "NH2", "COOH", "O", "Cl", "(CH2)7", "CO", "N", "H"]))
        sheet.text(away[0] - bond * 0.2, away[1] - bond * 0.3, group, font)
    _chain(desk, corners[0], bond, int(rng.integers(0, 6)))
    return float(2 * radius + bond)


def _bond(desk: Desk, start: Values, end: Values, double: Values | None = None) -> None:
    """A line, and a second one beside it on the side of the point `double`."""
    desk.sheet.line(start[0], start[1], end[0], end[1], 0.35)
    if double is not None:
        _bond(desk, start + (double - start) * 0.18, end + (double - end) * 0.18)


def _chain(desk: Desk, start: Values, bond: float, length: int) -> None:
    for number in range(length):
        end = start + bond * np.array([0.87, 0.5 if number % 2 else -0.5])
        _bond(desk, start, end)
        start = end


def corner_scrolls(desk: Desk) -> None:
    """Penman's scrolls in the corners of a certificate, mirrored, printed with its frame."""
    rng, (wide, high) = desk.rng, desk.sheet.size_mm
    reach, inset = rng.uniform(18, 42), rng.uniform(6, 18)
    colour = brand_colour(desk, 0.6)
    curls = [_curl(rng) * reach for _ in range(int(rng.integers(2, 5)))]
    places = [(0, 0, 1, 1), (1, 0, -1, 1), (0, 1, 1, -1), (1, 1, -1, -1)]
    for right, low, across, down in places if rng.random() < 0.7 else places[2:]:
        corner = np.array([wide - inset if right else inset, high - inset if low else inset])
        print_lines(desk, [corner + curl * [across, down] for curl in curls], colour, rng.uniform(0.4, 1.1))


def divider(desk: Desk, x: float, y: float, width: float) -> None:
    """A calligrapher's line under a heading: two scrolls mirrored about x, printed."""
    curls = [_curl(desk.rng) * width / 2 * [1.0, 0.4] for _ in range(int(desk.rng.integers(1, 3)))]
    both = [np.array([x, y]) + curl * [side, 1] for curl in curls for side in (-1, 1)]
    print_lines(desk, both, brand_colour(desk, 0.5), desk.rng.uniform(0.3, 0.8))


def _curl(rng: np.random.Generator) -> Values:
    """A stroke that sets out along an edge and rolls up in a spiral; (n, 2), about 1 long."""
    turns = rng.uniform(1.0, 2.2)
    t = np.linspace(0, 1, 60)
    angle = rng.uniform(-0.2, 0.6) + turns * 2 * np.pi * t**2 * rng.choice([-1.0, 1.0])
    steps = np.stack([np.cos(angle), np.sin(angle)], 1) * (1.05 - t)[:, None]
    path = np.cumsum(steps, axis=0)
    path = path if rng.random() < 0.5 else path[:, ::-1]
    return np.asarray(path / max(float(np.ptp(path, axis=0).max()), 1e-6) * rng.uniform(0.6, 1.0))
