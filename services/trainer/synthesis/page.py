"""One synthetic page: which kind of paper, in which language, signed or not, and what scanned it."""

from dataclasses import dataclass


import numpy as np

from services.trainer.synthesis import documents, scanning
from services.trainer.synthesis.desk import Desk, SignatureSource
from services.trainer.synthesis.scanning import Scanner
from services.trainer.synthesis.sheet import A4_MM, LETTER_MM, Kind, Outline, Pixels, Sheet
from services.trainer.synthesis.wording import Wording

Box = tuple[float, float, float, float]

SLACK = 0.02
"""Boxes are this share of the ink's size wider at each side, as the people who labelled the real scans drew them."""


@dataclass(frozen=True)
class Recipe:
    """How often a kind of page is made (`weight`), signed, in which languages and through which scanners."""

    name: str
    layout: documents.Document
    weight: float
    signed: float
    languages: dict[str, float]
    scanners: dict[Scanner, float]


ARCHIVE = {scanning.archive_scan: 0.88, scanning.fax: 0.07, scanning.office_scan: 0.05}
OFFICE = {
    scanning.office_scan: 0.62,
    scanning.archive_scan: 0.10,
    scanning.phone_photo: 0.13,
    scanning.born_digital: 0.12,
    scanning.fax: 0.03,
}
CLEAN = {scanning.born_digital: 0.6, scanning.office_scan: 0.35, scanning.phone_photo: 0.05}
BOTH = {"fr": 0.55, "en": 0.45}
FRENCH, ENGLISH = {"fr": 1.0}, {"en": 1.0}

RECIPES = (
    Recipe("archive_letter", documents.archive_letter, 0.17, 0.8, ENGLISH, ARCHIVE),
    Recipe("memo", documents.memo, 0.08, 0.5, {"en": 0.9, "fr": 0.1}, ARCHIVE),
    Recipe("report", documents.report, 0.08, 0.0, BOTH, {**ARCHIVE, scanning.office_scan: 0.5}),
    Recipe("letter", documents.letter, 0.10, 0.85, BOTH, OFFICE),
    Recipe("contract", documents.contract, 0.12, 0.65, BOTH, OFFICE),
    Recipe("statutes", documents.statutes, 0.12, 0.5, {"fr": 0.9, "en": 0.1}, OFFICE),
    Recipe("lease_form", documents.lease_form, 0.05, 0.6, {"en": 0.8, "fr": 0.2}, OFFICE),
    Recipe("mandate", documents.mandate, 0.05, 0.6, BOTH, OFFICE),
    Recipe("order_form", documents.order_form, 0.05, 0.6, BOTH, OFFICE),
    Recipe("grant_agreement", documents.grant_agreement, 0.06, 0.65, BOTH, CLEAN),
    Recipe("certificate", documents.certificate, 0.05, 0.85, BOTH, OFFICE),
    Recipe("stamped_page", documents.stamped_page, 0.10, 0.85, {"fr": 0.3, "en": 0.35, "ru": 0.35}, CLEAN),
)


@dataclass(frozen=True)
class SyntheticPage:
    """A page and its truth: RGB (h, w, 3) or bilevel grey (h, w) pixels, boxes as x0, y0, x1, y1 in px by kind."""

    pixels: Pixels
    boxes: tuple[tuple[Kind, Box], ...]
    recipe: str
    language: str
    scanner: str

    @property
    def signatures(self) -> tuple[Box, ...]:
        return tuple(box for kind, box in self.boxes if kind == "signature")


def make_page(seed: int, number: int, long_side: int = 1280, real: SignatureSource | None = None) -> SyntheticPage:
    """Make page `number` of the series `seed`: the same two numbers always give the same page.

    `long_side` is the page's longer side in px before scanning (bilevel scans come out up to 1.7 times larger);
    `real` adds signatures cut from real scans to those of the pen model.
    """
    rng = np.random.default_rng([seed, number])
    recipe = RECIPES[_drawn(rng, [recipe.weight for recipe in RECIPES])]
    language = list(recipe.languages)[_drawn(rng, list(recipe.languages.values()))]
    size = LETTER_MM if language == "en" and rng.random() < 0.8 else A4_MM
    if recipe.name == "certificate" and rng.random() < 0.35:
        size = (size[1], size[0])
    sheet = Sheet(size, long_side / max(size))
    blue = 0.15 if recipe.scanners is ARCHIVE else float(rng.uniform(0.2, 0.9))
    recipe.layout(Desk(sheet, rng, Wording(language, rng), real, blue=blue), rng.random() < recipe.signed)
    scanner = list(recipe.scanners)[_drawn(rng, list(recipe.scanners.values()))]
    pixels, outlines = scanner(*sheet.finish(), rng)
    return SyntheticPage(pixels, _boxes(outlines, pixels.shape), recipe.name, language, scanner.__name__)


def _drawn(rng: np.random.Generator, weights: list[float]) -> int:
    return int(rng.choice(len(weights), p=np.array(weights) / sum(weights)))


def _boxes(outlines: list[Outline], shape: tuple[int, ...]) -> tuple[tuple[Kind, Box], ...]:
    """Box each outline with a little slack, inside the page; what a bend pushed mostly out of the page is dropped."""
    height, width = shape[:2]
    boxes: list[tuple[Kind, Box]] = []
    for mark in outlines:
        (x0, y0), (x1, y1) = mark.points.min(axis=0), mark.points.max(axis=0) + 1
        dx, dy = (x1 - x0) * SLACK + 1, (y1 - y0) * SLACK + 1
        box = (max(0.0, x0 - dx), max(0.0, y0 - dy), min(float(width), x1 + dx), min(float(height), y1 + dy))
        if box[2] - box[0] > 0.3 * (x1 - x0) and box[3] - box[1] > 0.3 * (y1 - y0):
            boxes.append((mark.kind, (float(box[0]), float(box[1]), float(box[2]), float(box[3]))))
    return tuple(boxes)


