"""Stamps cut out of real scans: their ink alone, never with a signature in it, and put onto drawn pages."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from services.trainer.dataset import LabelledBox
from services.trainer.synthesis.crops import RealInk, real_ink
from services.trainer.synthesis.desk import Desk
from services.trainer.synthesis.ink import Ink, lay_ink
from services.trainer.synthesis.sheet import A4_MM, Sheet
from services.trainer.synthesis.stamp_crops import is_round, resized, stamp_of, unsigned_stamps
from services.trainer.synthesis.stamps import boxed_stamp, round_stamp
from services.trainer.synthesis.wording import Wording
from tests.unit.trainer.signed_letters import scan

BLUE = (40, 60, 170)


def stamped(colour: tuple[int, int, int] = BLUE, paper: int = 250) -> np.ndarray:
    """A crop with a round stamp that fills it, RGB."""
    alpha = round_stamp(np.random.default_rng(3), 200, "MERIDIAN WORKS * BRISTOL", ["BRISTOL"])
    crop = np.full((200, 200, 3), paper, np.uint8)
    lay_ink(crop, Ink(alpha, colour), 0, 0)
    return crop


@pytest.mark.parametrize("colour", [BLUE, (190, 40, 50), (40, 40, 45)])
def test_a_stamp_is_cut_with_its_colour(colour: tuple[int, int, int]) -> None:
    cut = stamp_of(stamped(colour, paper=225))
    assert cut is not None
    assert is_round(cut)
    assert cut.size == (200, 200)
    assert cut.colour == pytest.approx(colour, abs=60)
    ring, outside = cut.alpha[95:105, :8], cut.alpha[:8, :8]
    assert ring.max() > 150
    assert outside.max() == 0


def test_print_under_a_coloured_stamp_is_left_out() -> None:
    crop = stamped()
    bare = stamp_of(crop)
    cv2.rectangle(crop, (0, 20), (40, 30), (15, 15, 18), -1)
    cut = stamp_of(crop)
    assert bare is not None
    assert cut is not None
    assert cut.alpha[20:31, :20].max() == 0
    assert float(cut.alpha.mean()) == pytest.approx(float(bare.alpha.mean()), rel=0.15)


@pytest.mark.parametrize(
    "crop", [np.full((90, 90, 3), 240, np.uint8), np.zeros((90, 90, 3), np.uint8), scan()[:15, :40]]
)
def test_paper_blackness_and_tiny_crops_give_no_stamp(crop: np.ndarray) -> None:
    assert stamp_of(crop) is None


def test_stamps_that_somebody_signed_or_initialled_are_left_where_they_are() -> None:
    alone, signed = LabelledBox(2, 0.2, 0.2, 0.1, 0.1), LabelledBox(2, 0.6, 0.6, 0.2, 0.2)
    initialled = LabelledBox(2, 0.2, 0.8, 0.2, 0.1)
    marks = [LabelledBox(0, 0.72, 0.7, 0.1, 0.1), LabelledBox(1, 0.2, 0.8, 0.02, 0.02)]
    assert unsigned_stamps([alone, signed, initialled, *marks]) == [alone]


def test_stamps_come_with_the_signatures_of_labelled_pages(tmp_path: Path) -> None:
    page = scan()
    page[100:300, 600:800] = stamped()
    for part in ("images/some", "labels/some"):
        (tmp_path / part).mkdir(parents=True)
    Image.fromarray(page).save(tmp_path / "images/some/a.png")
    (tmp_path / "labels/some/a.txt").write_text("0 0.506 0.677 0.306 0.082\n2 0.8235 0.1818 0.2353 0.1818\n")
    (tmp_path / "index.csv").write_text("source,file,n_boxes,group,split\nsome,a.png,1,g,train\n")
    found = real_ink(tmp_path)
    assert len(found.patches) == len(found.stamps) == 1
    assert found.stamps[0].size == (200, 200)


def desk_with(stamps: tuple[Ink, ...], seed: int) -> Desk:
    rng = np.random.default_rng(seed)
    return Desk(Sheet(A4_MM, 4.0), rng, Wording("en", rng), RealInk((), stamps))


def test_some_stamps_of_a_drawn_page_are_real_ones_of_the_shape_wanted() -> None:
    ring = Ink(np.full((100, 100), 77, np.uint8), BLUE)
    block = Ink(np.full((40, 120), 33, np.uint8), BLUE)
    rings, blocks = 0, 0
    for seed in range(40):
        desk = desk_with((ring, block), seed)
        desk.round_stamp(60, 60, 30)
        desk.word_stamp(60, 160, 40)
        (first, second) = (ink for kind, ink, *_ in desk.sheet.marks if kind == "stamp")
        rings += first.alpha.max() == 77
        blocks += second.alpha.max() == 33
    assert 8 <= rings <= 24
    assert 8 <= blocks <= 24


def test_without_real_stamps_chance_goes_its_way_as_before() -> None:
    marks = []
    for real in (None, RealInk(())):
        desk = desk_with((), 5)
        desk.real = real
        desk.round_stamp(60, 60, 30)
        desk.company_stamp(100, 160, 50)
        marks.append([ink.alpha.tobytes() for _, ink, *_ in desk.sheet.marks])
    assert marks[0] == marks[1]


def test_a_stamp_keeps_its_proportions() -> None:
    alpha = boxed_stamp(np.random.default_rng(1), 120, ["RECEIVED", "4 MAY 1987"], framed=True)
    assert resized(Ink(alpha, BLUE), 60).shape == (round(alpha.shape[0] / 2), 60)
