"""Things drawn to look like signatures are never labelled as one, and are drawn where they were asked for."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from services.trainer.synthesis import figures, layouts, letters, lookalikes, ornaments
from services.trainer.synthesis.desk import Desk
from services.trainer.synthesis.page import make_page
from services.trainer.synthesis.recipes import RECIPES
from services.trainer.synthesis.sheet import A4_MM, Sheet
from services.trainer.synthesis.wording import Wording

SCALE = 3.0


def desk_with(seed: int) -> Desk:
    rng = np.random.default_rng(seed)
    return Desk(Sheet(A4_MM, SCALE), rng, Wording("en", rng), blue=0.0)


def inked(desk: Desk) -> np.ndarray:
    """The extent of everything dark on the finished sheet, in millimetres: left, top, right, bottom."""
    pixels, _ = desk.sheet.finish()
    rows, columns = np.nonzero(pixels.min(axis=2) < 200)
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / SCALE


@pytest.mark.parametrize("seed", range(8))
def test_a_ringed_word_is_handwriting_within_a_ring(seed: int) -> None:
    desk = desk_with(seed)
    lookalikes.ringed_word(desk, 80, 150)
    marks = desk.sheet.finish()[1]
    assert [mark.kind for mark in marks] == ["handwriting", "handwriting"]
    word, ring = (np.ptp(mark.points, axis=0) for mark in marks)
    assert (ring > 0.7 * word).all()


@pytest.mark.parametrize("seed", range(8))
def test_a_ring_is_as_large_as_asked_for(seed: int) -> None:
    desk = desk_with(seed)
    lookalikes.ring(desk, 100, 150, 60, 20)
    left, top, right, bottom = inked(desk)
    assert 45 <= right - left <= 80
    assert 13 <= bottom - top <= 30


@pytest.mark.parametrize("seed", range(8))
def test_a_formula_ends_where_it_says(seed: int) -> None:
    desk = desk_with(seed)
    height = lookalikes.structural_formula(desk, 60, 100, 8)
    left, top, right, bottom = inked(desk)
    assert right - left > 8
    assert top >= 100 - 2 * 8
    assert bottom <= 100 + height + 2 * 8
    assert desk.sheet.marks == []


@pytest.mark.parametrize("seed", range(8))
def test_corner_scrolls_leave_the_middle_of_the_page_free(seed: int) -> None:
    desk = desk_with(seed)
    lookalikes.corner_scrolls(desk)
    pixels, marks = desk.sheet.finish()
    assert marks == []
    dark = pixels.min(axis=2) < 245
    height, width = dark.shape
    assert dark.any()
    assert not dark[height // 3 : -height // 3, width // 3 : -width // 3].any()


@pytest.mark.parametrize(
    "drawing",
    [
        figures.wreath,
        figures.shield,
        figures.bird,
        figures.leaves,
        figures.country,
        figures.monogram,
        figures.rosette,
        figures.figure,
    ],
)
def test_figures_stay_near_their_square(drawing: Callable[[np.random.Generator], figures.Outlines]) -> None:
    for seed in range(10):
        lines = drawing(np.random.default_rng(seed))
        assert lines
        assert all(line.shape[1] == 2 and np.isfinite(line).all() for line in lines)
        assert max(np.abs(line).max() for line in lines) < 1.5


def test_emblems_and_notes_are_no_signatures() -> None:
    for seed in range(20):
        desk = desk_with(seed)
        ornaments.emblem(desk, 30, 30, 20, (0, 0, 0))
        layouts.scribbled_notes(desk, 4)
        assert {kind for kind, *_ in desk.sheet.marks} <= {"handwriting"}


def test_a_greeting_by_hand_is_no_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    by_hand = Desk.handwrite

    def listening(desk: Desk, text: str, *where: Any) -> None:
        written.append(text)
        by_hand(desk, text, *where)

    monkeypatch.setattr(Desk, "handwrite", listening)
    kinds: set[str] = set()
    for seed in range(40):
        desk = desk_with(seed)
        letters.letter(desk, signed=False)
        kinds |= {kind for kind, *_ in desk.sheet.marks}
    assert kinds == {"handwriting", "initials"}
    assert len(written) >= 2, "a greeting, not only an emblem"


def test_boxes_are_tight_on_bilevel_pages_and_looser_on_others() -> None:
    archive = tuple(recipe for recipe in RECIPES if recipe.name in {"archive_letter", "letter"})
    by_kind: dict[bool, list[float]] = {True: [], False: []}
    for number in range(60):
        page = make_page(5, number, 900, recipes=archive)
        grey = page.pixels if page.pixels.ndim == 2 else page.pixels.min(axis=2)
        for x0, y0, x1, y1 in page.signatures:
            crop = grey[int(y0) : int(y1), int(x0) : int(x1)]
            columns = np.flatnonzero((crop < 140).sum(axis=0) > 0)
            if columns.size and columns[0] > 0:  # print at the box's edge says nothing of the signature's
                by_kind[page.pixels.ndim == 2].append(columns[0] / crop.shape[1])
    assert min(len(found) for found in by_kind.values()) >= 5
    assert np.median(by_kind[True]) < np.median(by_kind[False])


@pytest.mark.parametrize("seed", range(8))
def test_a_note_is_signed_by_its_writer_once(seed: int) -> None:
    desk = desk_with(seed)
    layouts.signed_note(desk)
    kinds = [kind for kind, *_ in desk.sheet.marks]
    assert kinds.count("signature") == 1
    assert set(kinds) <= {"signature", "handwriting"}
    assert len({ink.colour for _, ink, *_ in desk.sheet.marks}) == 1, "all by one pen"
