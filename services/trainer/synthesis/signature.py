"""Signatures and initials: the plans people sign with, from a legible name to a single gesture."""

from collections.abc import Callable

import numpy as np

from services.trainer.synthesis.hand import Hand, Stroke, draw, neat_hand, signing_hand, with_haste, write
from services.trainer.synthesis.lognormal import Points

Rng = np.random.Generator
Style = Callable[[Rng, str], list[Stroke]]


def signature(rng: Rng, name: str, legibility: float = 0.5) -> list[Stroke]:
    """Sign as one random person of that name would; strokes in x-heights, y up.

    `legibility` 0..1 leans towards written names (1) or towards gestures no one can read (0).
    """
    readable: list[tuple[float, Style]] = [(0.36, _legible_name), (0.34, _hurried_name), (0.30, _capital_and_wave)]
    gestures: list[tuple[float, Style]] = [
        (0.26, _gesture),
        (0.24, _tall_hatching),
        (0.30, _swept),
        (0.10, _loops),
        (0.10, _capital_and_wave),
    ]
    styles = readable if rng.random() < legibility else gestures
    choice = styles[int(rng.choice(len(styles), p=[weight for weight, _ in styles]))][1]
    return choice(rng, name)


def initials(rng: Rng, name: str) -> list[Stroke]:
    """The short paraphe at a page foot: capitals, a knot of strokes, a steep double stroke, a tall loop, a hatch."""
    letters = "".join(part[0].upper() for part in name.replace("-", " ").split())[:3]
    kind = rng.random()
    hand = signing_hand(rng)
    if kind < 0.4:
        return write(letters, with_haste(neat_hand(rng), rng.uniform(1.0, 1.5)), rng)
    if kind < 0.5:
        return [draw(_tall_loop(rng), hand, rng), *write(letters[1:2], hand, rng)[: int(rng.integers(2))]]
    if kind < 0.6:
        return [draw(stroke, hand, rng) for stroke in _hatch(rng)]
    if kind < 0.75:
        strokes = [draw(_wave(rng, int(rng.integers(2, 4)), 1.6), hand, rng)]
        return [*strokes, draw(_underline(strokes, rng), hand, rng)] if rng.random() < 0.5 else strokes
    if kind < 0.88:
        return [draw(_steep_strokes(rng), hand, rng)]
    return write(letters[:2].lower() if rng.random() < 0.3 else letters[:2], hand, rng)


def _steep_strokes(rng: Rng) -> Points:
    """Up, down and up again: a paraphe three times as high as wide."""
    x, points = 0.0, [[0.0, 0.0]]
    for _ in range(int(rng.integers(1, 4))):
        top = rng.uniform(2.0, 5.0)
        points += [[x + rng.uniform(0.1, 0.9), top], [x + rng.uniform(0.2, 0.8), rng.uniform(-0.5, 1.0)]]
        x += rng.uniform(0.3, 0.9)
    return np.array([*points, [x + rng.uniform(0.2, 1.5), rng.uniform(0.5, 2.5)]])


def _tall_loop(rng: Rng) -> Points:
    """A narrow loop like a written l or d, its end running out along the line."""
    high, lean = rng.uniform(2.0, 4.5), rng.uniform(0.0, 0.8)
    belly = [[0.9, 0.9], [0.1, 0.6], [0.6, 0.0]] if rng.random() < 0.5 else [[0.4, 0.1]]
    return np.array(
        [*belly, [0.9 + lean, high], [0.5 + lean, high * 1.05], [0.7, 0.2], [1.6 + rng.uniform(0, 1.5), 0.4]]
    )


def _hatch(rng: Rng) -> list[Points]:
    """Two or three steep strokes crossed by one or two flat ones."""
    steep = int(rng.integers(2, 4))
    upright = [np.array([[x * 0.5, 0.0], [x * 0.5 + rng.uniform(0, 0.6), rng.uniform(1.2, 2.6)]]) for x in range(steep)]
    flat = rng.uniform(0.3, 1.4, int(rng.integers(1, 3)))
    return [*upright, *(np.array([[-0.4, y], [steep * 0.6 + 0.3, y + rng.normal(0.2, 0.15)]]) for y in flat)]


def _legible_name(rng: Rng, name: str) -> list[Stroke]:
    hand = with_haste(signing_hand(rng), rng.uniform(0.6, 0.9))
    return _with_flourish(write(_signed_form(rng, name), hand, rng), hand, rng, 0.3)


def _hurried_name(rng: Rng, name: str) -> list[Stroke]:
    hand = with_haste(signing_hand(rng), rng.uniform(1.1, 2.2))
    return _with_flourish(write(_signed_form(rng, name), hand, rng), hand, rng, 0.45)


def _signed_form(rng: Rng, name: str) -> str:
    """First and last name, initial and last name, last name alone, first name alone, or it trails off."""
    first, _, last = name.partition(" ")
    forms = [name, f"{first[0]}. {last}", last or first, first, f"{first[0]}{last}", f"{first[0]}. {last[:3]}"]
    return str(forms[int(rng.integers(len(forms)))])


def _capital_and_wave(rng: Rng, name: str) -> list[Stroke]:
    """One or two big capitals, the rest of the name a decaying wave that runs into a line."""
    hand = signing_hand(rng)
    capitals = name[0] + (name.partition(" ")[2][:1] if rng.random() < 0.4 else "")
    strokes = write(capitals, with_haste(hand, 0.9), rng)
    end = max(float(stroke.points[:, 0].max()) for stroke in strokes)
    beside = np.array([end - rng.uniform(0, 0.5), 0.2])
    strokes.append(draw(beside + _wave(rng, int(rng.integers(3, 9)), rng.uniform(0.5, 1.3)), hand, rng))
    return _with_flourish(strokes, hand, rng, 0.5)


def _wave(rng: Rng, humps: int, height: float) -> Points:
    """Up-and-down strokes losing height, as hurried small letters do."""
    points = [[0.0, rng.uniform(0, 0.5)]]
    x = 0.0
    for hump in range(humps):
        decay = height * (1.0 - 0.6 * hump / humps) * rng.uniform(0.5, 1.4)
        x += rng.uniform(0.25, 0.7)
        points.append([x - rng.uniform(-0.1, 0.35), decay])
        x += rng.uniform(0.05, 0.4)
        points.append([x, -0.2 * decay if rng.random() < 0.8 else -height * rng.uniform(0.5, 1.5)])
    points.append([x + rng.uniform(0.5, 4.0), rng.uniform(-0.3, 1.0)])
    return np.array(points)


def _gesture(rng: Rng, _name: str) -> list[Stroke]:
    """Large swings there and back that no one could read, advancing to the right or turning on the spot."""
    hand = signing_hand(rng)
    swings = int(rng.integers(5, 13))
    side = np.where(np.arange(swings) % 2 == 0, 1.0, -1.0)
    reach = rng.uniform(0.5, 1.6, (swings, 2)) * side[:, None] * [rng.uniform(0.2, 2.2), rng.uniform(0.6, 2.2)]
    advance = np.linspace(0, swings * rng.uniform(0.0, 0.9), swings)
    targets = reach + np.stack([advance, advance * rng.normal(0.0, 0.2)], 1)
    return _with_flourish([draw(targets, hand, rng)], hand, rng, 0.4)


def _tall_hatching(rng: Rng, _name: str) -> list[Stroke]:
    """Steep narrow zigzags, often ending in one long stroke across: common under French statutes."""
    hand = signing_hand(rng)
    lean = rng.uniform(0.1, 1.3)
    height = rng.uniform(3.0, 6.0)
    points, x = [[0.0, 0.0]], 0.0
    for _ in range(int(rng.integers(2, 6))):
        x += rng.uniform(0.15, 0.9)
        top, bottom = height * rng.uniform(0.5, 1.1), rng.uniform(-1.0, 1.2)
        points += [[x + lean * top, top], [x + lean * bottom + rng.uniform(-0.1, 0.4), bottom]]
    if rng.random() < 0.7:
        points.append([x + rng.uniform(3, 9), rng.uniform(0.5, height)])
    return _with_flourish([draw(np.array(points), hand, rng)], hand, rng, 0.35)


def _swept(rng: Rng, name: str) -> list[Stroke]:
    """A long rising stroke out and back with small letters or a zigzag astride it: fast, thin, aslant."""
    hand = signing_hand(rng)
    rise, length = rng.uniform(0.15, 0.9), rng.uniform(6.0, 13.0)
    direction = np.array([np.cos(rise), np.sin(rise)])
    across = np.array([-direction[1], direction[0]])
    gap = rng.uniform(0.2, 1.6)
    hairpin = [np.zeros(2), direction * length, direction * length * rng.uniform(0.1, 0.5) - across * gap]
    if rng.random() < 0.6:
        hairpin.append(direction * length * rng.uniform(0.6, 1.4) - across * gap * rng.uniform(-0.5, 1.5))
    strokes = [draw(np.array(hairpin), hand, rng)]
    middle = direction * length * rng.uniform(0.3, 0.5)
    zigzag = _wave(rng, int(rng.integers(2, 7)), rng.uniform(0.8, 2.4))[:-1]
    upright = across + np.array([rng.uniform(0.0, 0.8), 0.0])
    turned = zigzag[:, :1] * direction + zigzag[:, 1:] * upright
    strokes.append(draw(middle + turned - turned.mean(axis=0) * 0.5, hand, rng))
    return strokes if rng.random() < 0.7 else strokes + write(name[0], hand, rng)


def _loops(rng: Rng, name: str) -> list[Stroke]:
    """A run of loops, sometimes round an initial."""
    hand = signing_hand(rng)
    count = int(rng.integers(2, 7))
    angle = np.linspace(0, 2 * np.pi * count, count * 6) + rng.uniform(0, 6)
    growth = np.linspace(1.0, rng.uniform(0.3, 1.5), angle.size)
    radius = np.array([rng.uniform(0.5, 1.2), rng.uniform(0.8, 2.2)])
    growth *= rng.uniform(0.5, 1.4, count + 1)[(angle - angle[0]).astype(int) // 7 % (count + 1)]
    path = np.stack([np.cos(angle) * radius[0], np.sin(angle) * radius[1]], 1) * growth[:, None]
    path[:, 0] += np.linspace(0, rng.uniform(1.0, 7.0), angle.size)
    strokes = [draw(path, with_haste(hand, 1.2), rng)]
    if rng.random() < 0.5:
        strokes += write(name[0], hand, rng)
    return _with_flourish(strokes, hand, rng, 0.3)


def _with_flourish(strokes: list[Stroke], hand: Hand, rng: Rng, chance: float) -> list[Stroke]:
    if rng.random() > chance or not strokes:
        return strokes
    flourishes = [_underline, _crossing, _tail, _encircling]
    choice = flourishes[int(rng.choice(4, p=[0.4, 0.2, 0.25, 0.15]))]
    return [*strokes, draw(choice(strokes, rng), hand, rng)]


def _extent(strokes: list[Stroke]) -> tuple[float, float, float, float]:
    points = np.concatenate([stroke.points for stroke in strokes])
    (left, low), (right, high) = points.min(axis=0), points.max(axis=0)
    return float(left), float(low), float(right), float(high)


def _underline(strokes: list[Stroke], rng: Rng) -> Points:
    """From the end of the name back under it, and forth again once or twice."""
    left, low, right, _ = _extent(strokes)
    y = min(low, 0.0) * rng.uniform(0.3, 1.0) - rng.uniform(0.2, 0.7)
    points = [[right * rng.uniform(0.8, 1.0), y + 0.3], [left + (right - left) * rng.uniform(-0.1, 0.4), y]]
    for _ in range(int(rng.integers(0, 3))):
        y -= rng.uniform(0.05, 0.4)
        points += [[right * rng.uniform(0.7, 1.15), y + rng.uniform(0, 0.5)], [left, y - rng.uniform(0.1, 0.4)]]
    return np.array(points[: len(points) - int(rng.integers(0, 2)) if len(points) > 2 else None])


def _crossing(strokes: list[Stroke], rng: Rng) -> Points:
    """One long stroke through the whole signature."""
    left, low, right, high = _extent(strokes)
    start, end = rng.uniform(low, 0.7 * high, 2)
    return np.array([[left - rng.uniform(0, 1), start], [(left + right) / 2, (start + end) / 2], [right + 1, end]])


def _tail(strokes: list[Stroke], rng: Rng) -> Points:
    """The last stroke shoots off, up or down, and may hook back."""
    _, _, right, high = _extent(strokes)
    length, lift = rng.uniform(1.5, 7.0), rng.uniform(-2.0, 3.0)
    hook = [[right + length * 0.6, lift - rng.uniform(0, 1)]] if rng.random() < 0.4 else []
    return np.array([[right - 0.5, 0.3 * high], [right + length * 0.4, 0.4 * lift], [right + length, lift], *hook])


def _encircling(strokes: list[Stroke], rng: Rng) -> Points:
    """An oval around the name: the old paraphe."""
    left, low, right, high = _extent(strokes)
    angle = np.linspace(0.3, 2 * np.pi + rng.uniform(0.2, 1.5), 12)
    centre = np.array([(left + right) / 2, (low + high) / 2])
    radius = np.array([(right - left) * rng.uniform(0.45, 0.65) + 0.3, (high - low) * rng.uniform(0.45, 0.7) + 0.3])
    return np.asarray(centre + np.stack([np.cos(angle), np.sin(angle)], 1) * radius)
