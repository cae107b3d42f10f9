"""One synthetic page: which kind of paper, in which language, signed or not, and what scanned it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from services.trainer.synthesis import wear
from services.trainer.synthesis.desk import Desk, InkSource
from services.trainer.synthesis.forms import receipt
from services.trainer.synthesis.recipes import ARCHIVE, RECIPES, Recipe
from services.trainer.synthesis.sheet import A4_MM, LETTER_MM, Kind, Outline, Pixels, Sheet
from services.trainer.synthesis.wording import Wording

Box = tuple[float, float, float, float]
Choice = TypeVar("Choice")

SLACK_BILEVEL = (0.012, 0.035)
SLACK = (0.05, 0.08)
"""Boxes are these shares of the ink's width and height larger at each side, as the real scans' labels are: people drew
them tightly on bilevel archive pages and loosely on grey and colour ones."""
LEAST_VISIBLE = 0.45
"""A mark of which a smaller share outlived the scan is not labelled."""
GONE = 0.12
"""Up to this share a mark passes for dirt: nobody would say that it is there."""
ATTEMPTS = 4
SEEN_LEVELS = 22
"""Ink that many grey levels under the paper counts as seen."""


@dataclass(frozen=True)
class SyntheticPage:
    """A page and its truth: RGB (h, w, 3) or bilevel grey (h, w) pixels, boxes as x0, y0, x1, y1 in px by kind.

    only_signatures tells that there may be other marks on it that no box tells of, shown_as how it differs from a sheet
    by itself, if it does: a close_up of a part, or on_glass with another.
    """

    pixels: Pixels
    boxes: tuple[tuple[Kind, Box], ...]
    recipe: str
    language: str
    scanner: str
    only_signatures: bool = False
    shown_as: Literal["close_up", "on_glass"] | None = None

    @property
    def signatures(self) -> tuple[Box, ...]:
        """The boxes of signatures alone."""
        return tuple(box for kind, box in self.boxes if kind == "signature")


def make_page(
    seed: int,
    number: int,
    long_side: int = 1280,
    real: InkSource | None = None,
    recipes: Sequence[Recipe] = RECIPES,
) -> SyntheticPage:
    """Make page `number` of the series `seed`: the same two numbers always give the same page.

    `long_side` is the page's longer side in px before scanning (bilevel scans come out up to 1.7 times larger);
    `real` adds signatures cut from real scans to those of the pen model; `recipes` are the kinds of page to draw
    from. A page whose scan left a signature neither clearly there nor clearly gone is made again, for no label would be
    right.
    """
    for attempt in range(ATTEMPTS):
        page, doubtful = _scanned_page(np.random.default_rng([seed, number, attempt]), long_side, real, recipes)
        if not doubtful:
            break
    return page


def _scanned_page(
    rng: np.random.Generator, long_side: int, real: InkSource | None, recipes: Sequence[Recipe]
) -> tuple[SyntheticPage, bool]:
    """A page, and whether it holds a signature of doubtful visibility."""
    recipe = drawn(rng, [(recipe, recipe.weight) for recipe in recipes])
    language = drawn(rng, recipe.languages.items())
    size = _size_mm(recipe, language, rng)
    sheet = Sheet(size, long_side / max(size))
    blue = 0.15 if recipe.scanners is ARCHIVE else float(rng.uniform(0.2, 0.9))
    recipe.layout(Desk(sheet, rng, Wording(language, rng), real, blue=blue), rng.random() < recipe.signed)
    scanner = drawn(rng, recipe.scanners.items())
    pixels, outlines = scanner(*sheet.finish(), rng)
    boxes, doubtful = boxes_of(outlines, pixels)
    return SyntheticPage(pixels, boxes, recipe.name, language, scanner.__name__), doubtful


def boxes_of(outlines: Sequence[Outline], pixels: Pixels) -> tuple[tuple[tuple[Kind, Box], ...], bool]:
    """The boxes of the marks that the scan kept, and whether one of them is a signature of doubtful visibility."""
    grey = wear.grey(pixels) if pixels.ndim == 3 else pixels
    seen = [(mark, visible_share(mark, grey)) for mark in outlines]
    doubtful = any(mark.kind == "signature" and GONE < share < LEAST_VISIBLE for mark, share in seen)
    return tuple((mark.kind, _box(mark, pixels)) for mark, share in seen if share >= LEAST_VISIBLE), doubtful


def _size_mm(recipe: Recipe, language: str, rng: np.random.Generator) -> tuple[float, float]:
    if recipe.layout is receipt:
        return 80.0, float(rng.uniform(115, 220))
    wide, high = LETTER_MM if language == "en" and rng.random() < 0.8 else A4_MM
    return (high, wide) if rng.random() < recipe.landscape else (wide, high)


def drawn(rng: np.random.Generator, weighed: Iterable[tuple[Choice, float]]) -> Choice:
    """One of some things, each given with its weight, drawn in proportion to the weights."""
    pairs = list(weighed)
    weights = [weight for _, weight in pairs]
    return pairs[int(rng.choice(len(pairs), p=np.array(weights) / sum(weights)))][0]


def _box(mark: Outline, pixels: Pixels) -> Box:
    """The mark's extent with a little slack, cut off at the page's edges."""
    height, width = pixels.shape[:2]
    (x0, y0), (x1, y1) = mark.points.min(axis=0), mark.points.max(axis=0) + 1
    slack = SLACK_BILEVEL if pixels.ndim == 2 else SLACK
    dx, dy = (x1 - x0) * slack[0] + 1, (y1 - y0) * slack[1] + 1
    left, top = max(0.0, float(x0 - dx)), max(0.0, float(y0 - dy))
    return left, top, min(float(width), float(x1 + dx)), min(float(height), float(y1 + dy))


def visible_share(mark: Outline, grey: NDArray[np.uint8]) -> float:
    """Share of a mark's inked places that still are darker than the paper around; off the page counts as gone."""
    height, width = grey.shape
    places = mark.sample.round().astype(int)
    inside = places[((places >= 0) & (places < [width, height])).all(axis=1)]
    if len(inside) == 0:
        return 0.0
    (x0, y0), (x1, y1) = inside.min(axis=0), inside.max(axis=0) + 1
    region = grey[y0:y1, x0:x1]
    darkest = cv2.erode(region, np.ones((3, 3), np.uint8))
    seen = darkest[inside[:, 1] - y0, inside[:, 0] - x0] < float(np.percentile(region, 90)) - SEEN_LEVELS
    return float(seen.sum()) / len(places)
