"""Synthetic pages: boxes hold the ink they are named after, pages are reproducible, other kinds stay other kinds."""

from functools import cache

import numpy as np
import pytest
from PIL import ImageDraw, ImageFont

from services.trainer.synthesis import contracts, forms, letters, scanning
from services.trainer.synthesis.desk import Desk
from services.trainer.synthesis.initialling import initials_at_foot
from services.trainer.synthesis.page import SyntheticPage, make_page, visible_share
from services.trainer.synthesis.recipes import RECIPES, Document
from services.trainer.synthesis.scanning import Scanner
from services.trainer.synthesis.sheet import A4_MM, Outline, Pixels, Sheet
from services.trainer.synthesis.wording import Wording

SMALL = 640


def desk_with(seed: int, scale: float = 3.0, language: str = "en") -> Desk:
    rng = np.random.default_rng(seed)
    return Desk(Sheet(A4_MM, scale), rng, Wording(language, rng), blue=0.0)


def signed_blank(seed: int) -> tuple[Pixels, list[Outline]]:
    """A blank sheet with one dark signature in its middle: every dark pixel on it is that signature's."""
    desk = desk_with(seed)
    desk.sign(105, 150, 70, 25)
    return desk.sheet.finish()


@pytest.fixture(scope="module")
def pages() -> list[SyntheticPage]:
    return [make_page(3, number, SMALL) for number in range(24)]


def test_same_seed_and_number_give_the_same_page() -> None:
    first, again, other = make_page(7, 5, SMALL), make_page(7, 5, SMALL), make_page(8, 5, SMALL)
    assert np.array_equal(first.pixels, again.pixels)
    assert first.boxes == again.boxes
    assert first.pixels.shape != other.pixels.shape or not np.array_equal(first.pixels, other.pixels)


def test_boxes_lie_within_the_page_and_have_a_size(pages: list[SyntheticPage]) -> None:
    boxes = [(box, page.pixels.shape) for page in pages for _, box in page.boxes]
    assert len(boxes) > 24
    for (x0, y0, x1, y1), (height, width, *_) in boxes:
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
        assert x1 - x0 > 2
        assert y1 - y0 > 2


def test_signed_and_unsigned_pages_are_both_made(pages: list[SyntheticPage]) -> None:
    signed = sum(bool(page.signatures) for page in pages)
    assert 6 <= signed <= 20


@pytest.mark.parametrize("seed", range(6))
def test_the_outline_of_a_signature_holds_all_its_ink(seed: int) -> None:
    pixels, outlines = signed_blank(seed)
    rows, columns = np.nonzero(pixels.min(axis=2) < 150)
    (x0, y0), (x1, y1) = outlines[0].points.min(axis=0), outlines[0].points.max(axis=0)
    assert len(rows) > 20
    assert x0 <= columns.min()
    assert columns.max() <= x1
    assert y0 <= rows.min()
    assert rows.max() <= y1


@pytest.mark.parametrize("matrix_seed", range(4))
def test_the_outline_follows_the_page_when_it_is_bent(matrix_seed: int) -> None:
    pixels, outlines = signed_blank(1)
    rng = np.random.default_rng(matrix_seed)
    matrix = scanning.skew_matrix(pixels.shape, rng.uniform(-6, 6), rng.uniform(0.9, 1.1), (rng.uniform(-30, 30), 20.0))
    bent, carried = scanning.warped(pixels, outlines, matrix, (255, 255, 255))
    rows, columns = np.nonzero(bent.min(axis=2) < 150)
    low, high = carried[0].points.min(axis=0) - 1.5, carried[0].points.max(axis=0) + 1.5
    assert low[0] <= columns.min() <= low[0] + 8
    assert high[0] - 8 <= columns.max() <= high[0]
    assert low[1] <= rows.min() <= low[1] + 8
    assert high[1] - 8 <= rows.max() <= high[1]


@pytest.mark.parametrize(
    "scanner", [scanning.archive_scan, scanning.office_scan, scanning.fax, scanning.phone_photo, scanning.photocopy]
)
def test_every_scanner_keeps_a_dark_signature_where_its_outline_says(scanner: Scanner) -> None:
    desk = desk_with(2, scale=4.5)
    desk.sign(105, 150, 70, 25)
    pixels, outlines = scanner(*desk.sheet.finish(), np.random.default_rng(11))
    grey = pixels if pixels.ndim == 2 else pixels.min(axis=2)
    assert visible_share(outlines[0], np.ascontiguousarray(grey)) > 0.7


@pytest.mark.parametrize("scanner", [scanning.office_scan, scanning.archive_scan, scanning.phone_photo])
def test_most_sheets_lie_nearly_straight_and_some_far_askew(scanner: Scanner) -> None:
    sheet = np.full((300, 220, 3), 255, np.uint8)
    level = Outline("signature", *[np.array([[60, 150], [160, 150]], np.float32)] * 2)
    tilts = []
    for seed in range(120):
        _, [carried] = scanner(sheet, [level], np.random.default_rng(seed))
        across, down = carried.points[1] - carried.points[0]
        tilts.append(abs(np.degrees(np.arctan2(down, across))))
    assert np.median(tilts) < 4
    assert 0.03 < np.mean(np.array(tilts) > 5) < 0.4
    assert max(tilts) < 25


def test_ink_that_a_scan_lost_is_not_called_visible() -> None:
    pixels, outlines = signed_blank(3)
    assert visible_share(outlines[0], np.full(pixels.shape[:2], 255, np.uint8)) == 0.0


@pytest.mark.parametrize("document", [recipe.layout for recipe in RECIPES], ids=[recipe.name for recipe in RECIPES])
def test_no_kind_of_document_has_a_signature_when_unsigned(document: Document) -> None:
    for seed in range(2):
        desk = desk_with(seed, scale=1.5)
        document(desk, False)
        assert "signature" not in {kind for kind, *_ in desk.sheet.marks}


@pytest.mark.parametrize("document", [letters.letter, letters.handwritten, forms.mandate])
def test_documents_to_be_signed_are_signed(document: Document) -> None:
    for seed in range(3):
        desk = desk_with(seed)
        document(desk, True)
        assert "signature" in {kind for kind, *_ in desk.sheet.marks}


@cache
def is_lacking(letter: str, typeface: str) -> bool:
    """Whether the typeface has only the empty box for it, as for what is no character at all."""
    font = ImageFont.truetype(typeface, 40)
    return not letter.isspace() and bytes(font.getmask(letter)) == bytes(font.getmask("\uffff"))


def test_no_letter_of_a_russian_page_is_an_empty_box(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = set()
    print_text = ImageDraw.ImageDraw.text

    def text(
        pen: ImageDraw.ImageDraw, at: tuple[float, float], words: str, font: ImageFont.FreeTypeFont, **options: object
    ) -> None:
        printed.update((letter, font.path) for letter in words)
        print_text(pen, at, words, font=font, **options)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", text)
    for seed in range(30):
        contracts.stamped_page(desk_with(seed, scale=1.5, language="ru"), True)
    assert len(printed) > 100
    assert [(letter, typeface) for letter, typeface in printed if is_lacking(letter, typeface)] == []


class OneSignature:
    """A source with a single signature, a bar three times as wide as high."""

    stamps = ()

    def draw(self, rng: np.random.Generator, box: tuple[float, float]) -> np.ndarray:
        width = min(box[0], 3 * box[1])
        return np.full((round(width / 3), round(width)), 255, np.uint8)

    draw_initials = draw


def test_a_real_signature_made_small_can_stand_for_initials() -> None:
    heights = []
    for seed in range(20):
        desk = desk_with(seed)
        desk.real, desk.real_share = OneSignature(), 1.0
        desk.initial(100, 270, "Marie Moreau", 30)
        ((kind, ink, *_),) = desk.sheet.marks
        assert kind == "initials"
        if (ink.alpha == 255).all():
            heights.append(ink.alpha.shape[0] / desk.sheet.scale)
    assert 5 <= len(heights) <= 15
    assert max(heights) <= 18


def test_initials_may_stand_where_the_text_ends_and_letters_are_at_times_large() -> None:
    middles, heights = [], []
    for seed in range(40):
        desk = desk_with(seed)
        initials_at_foot(desk, 1, text_end=90)
        ((kind, ink, _, top),) = desk.sheet.marks
        assert kind == "initials"
        height, width = ink.alpha.shape
        middles.append((top + height / 2) / desk.sheet.scale)
        if height < 1.5 * width:  # letters, not a steep stroke
            heights.append(height / desk.sheet.scale)
    assert 5 <= sum(75 < middle < 115 for middle in middles) <= 25, "where the text ends, now and then"
    assert min(heights) < 8
    assert 12 < max(heights) <= 20


def test_initials_stamps_and_handwriting_keep_their_own_kind() -> None:
    desk = desk_with(4)
    desk.initial(50, 50, "Marie Moreau", 10)
    desk.round_stamp(100, 50, 35)
    desk.company_stamp(150, 100, 50)
    desk.word_stamp(60, 150, 40)
    desk.handwrite("Lu et approuvé", 60, 200)
    desk.pen_mark(60, 240, 20)
    kinds = [mark.kind for mark in desk.sheet.finish()[1]]
    assert kinds == ["initials", "stamp", "stamp", "stamp", "handwriting", "handwriting"]
