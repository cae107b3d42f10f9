"""Real train pages signed anew: the ink of their signatures is taken off, others are written there and elsewhere.

What surrounds a signature stays real while the ink changes, or goes; and many of them are then scanned again by another
device. A few hundred real pages are soon known by heart: by this a network learns that it is the ink that counts.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

from services.trainer.dataset import LabelledPage, read_pages
from services.trainer.splits import is_held_out
from services.trainer.synthesis import layouts, scanning, wear
from services.trainer.synthesis.crops import displayed
from services.trainer.synthesis.desk import Desk, InkSource
from services.trainer.synthesis.erasing import Place, erased
from services.trainer.synthesis.ground import Ground, free_place
from services.trainer.synthesis.initialling import initials_at_foot, initials_line, read_and_initialled
from services.trainer.synthesis.ink import inked_places, outline, pen_colour
from services.trainer.synthesis.lookalikes import ringed_word
from services.trainer.synthesis.page import ATTEMPTS, Box, SyntheticPage, boxes_of, drawn
from services.trainer.synthesis.scanning import Scanner
from services.trainer.synthesis.sheet import CLASSES, Kind, Outline, Pixels, Sheet
from services.trainer.synthesis.signing import signature_size, stamp_near
from services.trainer.synthesis.stamp_crops import touch
from services.trainer.synthesis.wording import Wording
from shared.domain.labels import ALL_KINDS

Mark = tuple[Kind, Box]

LONG_SIDE_MM = 290.0
"""What the longer side of every scan is taken for: most are A4 or Letter."""
LARGEST_PX = 1700
"""Grey and colour scans are reduced to this; bilevel ones are not, for reduced they would be grey."""
LEFT_EMPTY = 0.25
"""Share of places whose signature goes and none comes."""
ARCHIVE_WEIGHT = 0.4
"""How much seldomer a bilevel page is taken than another: of those the real data has plenty."""
AGAIN_SHARE = 0.5
"""Share of pages that are scanned once more."""
AGAIN_PX = 1300
"""The longer side of a page that is scanned once more: what the scanners of synthetic pages expect."""
SCANNED_AGAIN: dict[Scanner, float] = {
    scanning.office_scan: 0.3,
    scanning.phone_photo: 0.2,
    scanning.photocopy: 0.2,
    scanning.archive_scan: 0.2,
    scanning.fax: 0.05,
    scanning.born_digital: 0.05,
}


@dataclass(frozen=True)
class SignedAnew:
    """Page number n of a series of real pages with other signatures; `seed` and n tell it fully."""

    seed: int
    pages: tuple[LabelledPage, ...]
    real: InkSource | None = None

    def make(self, number: int) -> SyntheticPage:
        """Take one of the pages and sign it anew; other kinds are labelled, too, where those it had are known."""
        weighed = [(page, ARCHIVE_WEIGHT if "bilevel" in page.tags else 1.0) for page in self.pages]
        for attempt in range(ATTEMPTS):
            rng = np.random.default_rng([self.seed, number, attempt])
            page = drawn(rng, weighed)
            made, doubtful = _signed_anew(page, rng, self.real)
            if not doubtful:
                break
        return made


def pages_to_sign(folder: Path, held_out: float) -> tuple[LabelledPage, ...]:
    """The train pages of a folder without those that training keeps apart for choices."""
    return tuple(page for page in read_pages(folder, "train") if not is_held_out(page.group, held_out))


def _signed_anew(page: LabelledPage, rng: np.random.Generator, real: InkSource | None) -> tuple[SyntheticPage, bool]:
    """The page, and whether it holds a signature of doubtful visibility."""
    was_bilevel = "bilevel" in page.tags
    scanner = drawn(rng, SCANNED_AGAIN.items()) if rng.random() < AGAIN_SHARE else None
    stays_bilevel = was_bilevel and scanner is None
    pixels = _read(page.path, None if stays_bilevel else LARGEST_PX if scanner is None else AGAIN_PX)
    old, others = _marks(page, pixels, "signature"), _marks(page, pixels, "initials", "stamp")
    places = [erased(pixels, box, was_bilevel) for _, box in old]
    left = [mark for mark, place in zip(old, places, strict=True) if place is None]
    all_known = ALL_KINDS in page.tags and not any(touch(box, other) for _, box in old for _, other in others)
    sheet = _sheet_of(pixels)
    words = Wording("fr" if "fr" in page.tags else "en", rng)
    desk = Desk(sheet, rng, words, real, real_share=0.6, blue=0.0 if stays_bilevel else float(rng.random()))
    for place in places:
        if place is not None and rng.random() > LEFT_EMPTY:
            _sign_at(desk, place)
    ground = Ground.of(wear.grey(pixels))
    if rng.random() < (0.12 if old else 0.45):
        _sign_somewhere(desk, ground)
    _write_around(desk, ground)
    if scanner is None:
        finished, outlines = _finished(sheet, rng, stays_bilevel, _is_grey(pixels))
        boxes, doubtful = boxes_of(outlines, finished)
        boxes += tuple(left + others)
    else:
        laid, outlines = sheet.finish()
        marks = [_inked(kind, box, pixels) for kind, box in left + others]
        finished, outlines = scanner(laid, outlines + [mark for mark in marks if len(mark.points)], rng)
        boxes, doubtful = boxes_of(outlines, finished)
    vouched = tuple((kind, box) for kind, box in boxes if all_known or kind == "signature")
    by = scanner.__name__ if scanner else "as_it_was"
    return SyntheticPage(finished, vouched, "signed_anew", words.language, by, only_signatures=not all_known), doubtful


def _marks(page: LabelledPage, pixels: Pixels, *kinds: Kind) -> list[Mark]:
    """The boxes of some kinds on a page, in px."""
    height, width = pixels.shape[:2]
    return [(kind, box.corners(width, height)) for kind in kinds for box in page.boxes if box.kind == CLASSES[kind]]


def _read(path: Path, largest: int | None) -> Pixels:
    """The page as displayed, RGB (h, w, 3), its longer side reduced to `largest` px."""
    image = displayed(path)
    if largest:
        image.thumbnail((largest, largest), Image.Resampling.LANCZOS)
    return np.array(image)


def _inked(kind: Kind, box: Box, pixels: Pixels) -> Outline:
    """What was left alone, by the ink in its box."""
    grey = wear.grey(pixels)
    x0, y0, x1, y1 = (max(0, round(side)) for side in box)
    region = grey[y0:y1, x0:x1]
    dark = np.asarray(region < float(np.percentile(region, 90)) - 40, np.uint8) * 255
    corner = np.array([x0, y0], np.float32)
    return Outline(kind, outline(dark) + corner, inked_places(dark) + corner)


def _is_grey(pixels: Pixels) -> bool:
    return bool((np.ptp(pixels[::9, ::9], axis=2) < 6).all())


def _sheet_of(pixels: Pixels) -> Sheet:
    height, width = pixels.shape[:2]
    scale = max(height, width) / LONG_SIDE_MM
    sheet = Sheet((width / scale, height / scale), scale)
    sheet.image = Image.fromarray(pixels)
    sheet.draw = ImageDraw.Draw(sheet.image)
    return sheet


def _sign_at(desk: Desk, place: Place) -> None:
    """Sign where somebody else had signed: as large, as placed and as inked as that, more or less."""
    rng, scale = desk.rng, desk.sheet.scale
    x0, y0, x1, y1 = (side / scale for side in place.box)
    wide, high = (x1 - x0) * rng.uniform(0.75, 1.3), (y1 - y0) * rng.uniform(0.75, 1.4)
    x = (x0 + x1) / 2 + (x1 - x0) * rng.normal(0, 0.08)
    y = (y0 + y1) / 2 + (y1 - y0) * rng.normal(0, 0.08)
    colour = place.colour if rng.random() < 0.5 or not desk.blue else pen_colour(rng, desk.blue)
    desk.sign(x, y, wide, high, colour=colour)
    stamp_near(desk, x, y, 0.12 if desk.blue else 0.04)


def _sign_somewhere(desk: Desk, ground: Ground) -> None:
    wide, high = signature_size(desk)
    x, y = free_place(ground, desk, wide, high)
    desk.sign(x, y, wide, high)
    stamp_near(desk, x, y, 0.15 if desk.blue else 0.04)


def _write_around(desk: Desk, ground: Ground) -> None:
    """What else people write and stamp on papers, none of it a signature."""
    rng, words = desk.rng, desk.words
    for chance, text in ((0.15, words.short_date()), (0.12, words.name()), (0.08, words.pick("note"))):
        if rng.random() < chance:
            size = rng.uniform(1.7, 4.0)
            x, y = free_place(ground, desk, size * len(text) * 1.3, size * 2)
            desk.handwrite(text, x - size * len(text) * 0.6, y, size)
    if rng.random() < 0.1:
        initials_at_foot(desk, int(rng.integers(1, 4)))
    if rng.random() < 0.2:
        print_initials_line(desk, ground)
    if rng.random() < 0.1:
        read_and_initialled(desk)
    if rng.random() < 0.06:
        ringed_word(desk, *free_place(ground, desk, 25, 12))
    if rng.random() < 0.1:
        desk.round_stamp(*free_place(ground, desk, 32, 32), rng.uniform(24, 40))


def print_initials_line(desk: Desk, ground: Ground) -> None:
    """Lines for initials, as leases have them, in print at the foot where that is free, and initialled."""
    rng, (wide, high) = desk.rng, desk.sheet.size_mm
    typed = rng.random() < 0.3
    style = layouts.typewriter_style(rng) if typed else layouts.office_style(rng, desk.words.language)
    foot = np.array([[0.05 * wide, high - 27], [0.7 * wide, high - 6]]) * desk.sheet.scale / ground.step
    if ground.cover(foot.mean(axis=0), (foot[1] - foot[0]) / 2) < 0.02:
        initials_line(desk, layouts.flow_on(desk, style))


def _finished(sheet: Sheet, rng: np.random.Generator, bilevel: bool, is_grey: bool) -> tuple[Pixels, list[Outline]]:
    """Lay the ink on the page as soft, grey or black as the page itself is."""
    if not bilevel:
        sigma = float(rng.uniform(0.3, 1.2))
        sheet.marks = [
            (kind, replace(ink, alpha=np.asarray(cv2.GaussianBlur(ink.alpha, (0, 0), sigma), np.uint8)), left, top)
            for kind, ink, left, top in sheet.marks
        ]
    pixels, outlines = sheet.finish()
    if bilevel:
        rough = wear.grain(wear.grey(pixels), rng, 18)
        black = cv2.threshold(rough, float(rng.uniform(110, 190)), 255, cv2.THRESH_BINARY)[1]
        return np.asarray(black, np.uint8), outlines
    return (wear.as_colour(wear.grey(pixels)) if is_grey else pixels), outlines
