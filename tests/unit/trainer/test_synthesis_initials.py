"""Initials stand where people put them and are labelled as nothing else; some are those of real people."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.trainer.dataset import LabelledPage, read_pages
from services.trainer.synthesis import layouts, wear
from services.trainer.synthesis.crops import SMALL_SIGNATURES, RealInk, real_ink
from services.trainer.synthesis.desk import Desk
from services.trainer.synthesis.flow import Flow
from services.trainer.synthesis.ground import Ground
from services.trainer.synthesis.initialling import correction_initialled, initials_line, read_and_initialled
from services.trainer.synthesis.page import Box
from services.trainer.synthesis.resigning import SignedAnew, print_initials_line
from services.trainer.synthesis.sheet import A4_MM, Sheet
from services.trainer.synthesis.wording import Wording
from tests.unit.trainer.signed_letters import SIGNED_AT, scan

SEEDS = range(30)
INITIALLED_AT, STAMPED_AT = (600, 940, 680, 990), (120, 780, 260, 900)


def desk_with(seed: int, language: str = "en") -> Desk:
    rng = np.random.default_rng(seed)
    return Desk(Sheet(A4_MM, 4.0), rng, Wording(language, rng))


def flow_on(desk: Desk) -> Flow:
    return layouts.flow_on(desk, layouts.office_style(desk.rng, desk.words.language))


def initials_on(desk: Desk) -> list[tuple[float, float, float]]:
    """Left, top and height of all initials, in mm."""
    scale = desk.sheet.scale
    marks = [(left, top, ink.alpha.shape[0]) for kind, ink, left, top in desk.sheet.marks if kind == "initials"]
    return [(left / scale, top / scale, height / scale) for left, top, height in marks]


WAYS: dict[str, Callable[[Desk], None]] = {
    "line": lambda desk: initials_line(desk, flow_on(desk)),
    "correction": lambda desk: correction_initialled(desk, flow_on(desk)),
    "readers": read_and_initialled,
}


@pytest.mark.parametrize("language", ["en", "fr", "ru"])
@pytest.mark.parametrize("way", WAYS)
def test_initials_are_never_signatures(way: str, language: str) -> None:
    kinds: set[str] = set()
    for seed in SEEDS:
        desk = desk_with(seed, language)
        WAYS[way](desk)
        kinds |= {kind for kind, *_ in desk.sheet.marks}
    assert "initials" in kinds
    assert kinds <= {"initials", "handwriting"}


def test_readers_initial_mostly_at_the_head_one_to_five_of_them() -> None:
    pages = []
    for seed in SEEDS:
        desk = desk_with(seed)
        read_and_initialled(desk)
        pages.append(initials_on(desk))
    assert {1, 2} <= {len(page) for page in pages} <= {1, 2, 3, 4, 5}
    assert 0.6 < np.mean([page[0][1] < 85 for page in pages]) < 1
    assert all(height < 30 for page in pages for _, _, height in page)


def test_readers_leave_print_alone_where_there_is_room() -> None:
    on_print = []
    for seed in SEEDS:
        desk = desk_with(seed)
        desk.sheet.box(0, 0, A4_MM[0] / 2, A4_MM[1], 0, fill=(0, 0, 0))
        read_and_initialled(desk)
        on_print.append(initials_on(desk)[0][0] < A4_MM[0] / 2 - 20)
    assert np.mean(on_print) < 0.35


def test_printed_lines_for_initials_are_at_the_foot() -> None:
    for seed in SEEDS:
        desk = desk_with(seed)
        initials_line(desk, flow_on(desk))
        printed = np.asarray(desk.sheet.image.convert("L")).min(axis=1) < 128
        assert printed.any()
        assert np.flatnonzero(printed).min() / desk.sheet.scale > A4_MM[1] - 26
        assert all(top + height > A4_MM[1] - 35 for _, top, height in initials_on(desk))


@pytest.mark.parametrize("foot", ["free", "printed"])
def test_real_pages_get_lines_for_initials_only_where_their_foot_is_free(foot: str) -> None:
    lines = 0
    for seed in SEEDS:
        desk = desk_with(seed)
        if foot == "printed":
            flow = Flow(desk.sheet, layouts.office_style(desk.rng, "en"), 15, A4_MM[0] - 15, A4_MM[1] - 30, A4_MM[1])
            layouts.body_text(desk, flow, 3, 0)
        before = np.asarray(desk.sheet.image).copy()
        print_initials_line(desk, Ground.of(wear.grey(before)))
        lines += bool((np.asarray(desk.sheet.image) != before).any())
    assert lines == (len(SEEDS) if foot == "free" else 0)


def test_corrections_are_initialled_in_the_margin() -> None:
    for seed in SEEDS:
        desk = desk_with(seed)
        flow = flow_on(desk)
        correction_initialled(desk, flow)
        lefts = [left for left, *_ in initials_on(desk)]
        assert 1 <= len(lefts) <= 2
        assert all(left < flow.left or left > flow.right - 25 for left in lefts)


def test_letters_are_as_high_as_asked() -> None:
    heights = []
    for seed in SEEDS:
        desk = desk_with(seed)
        desk.initial_in_letters(100, 100, "Marie Moreau", 8)
        heights += [height for _, _, height in initials_on(desk)]
    assert 5 < np.median(heights) < 11


def labelled(folder: Path, boxes: dict[int, Box], tags: str) -> LabelledPage:
    """One letter, signed, initialled and stamped; its boxes by class."""
    page = scan()
    for x0, y0, x1, y1 in (INITIALLED_AT, STAMPED_AT):
        for x in range(x0 + 6, x1 - 6, 28):
            page[y0 + 4 : y1 - 4, x : x + 3] = (30, 40, 140)
        page[(y0 + y1) // 2 : (y0 + y1) // 2 + 3, x0 + 6 : x1 - 8] = (30, 40, 140)
    for part in ("images/some", "labels/some"):
        (folder / part).mkdir(parents=True)
    Image.fromarray(page).save(folder / "images/some/a.png")
    lines = [
        f"{kind} {(x0 + x1) / 1700} {(y0 + y1) / 2200} {(x1 - x0) / 850} {(y1 - y0) / 1100}"
        for kind, (x0, y0, x1, y1) in boxes.items()
    ]
    (folder / "labels/some/a.txt").write_text("\n".join(lines) + "\n")
    (folder / "index.csv").write_text(f"source,file,n_boxes,group,split,tags\nsome,a.png,1,g,train,{tags}\n")
    return read_pages(folder)[0]


def test_initials_are_cut_from_pages_that_mark_them(tmp_path: Path) -> None:
    labelled(tmp_path, {0: SIGNED_AT, 1: INITIALLED_AT}, "all-kinds")
    found = real_ink(tmp_path)
    assert len(found.patches) == len(found.initials) == 1
    assert found.initials[0].shape[1] <= INITIALLED_AT[2] - INITIALLED_AT[0]


def test_real_initials_take_turns_with_signatures_made_small() -> None:
    source = RealInk((np.full((10, 30), 200, np.uint8),), (), (np.full((30, 30), 200, np.uint8),))
    rng = np.random.default_rng(1)
    square = [alpha.shape[0] / alpha.shape[1] > 0.6 for alpha in (source.draw_initials(rng, (60, 30)) for _ in SEEDS)]
    assert np.mean(square) == pytest.approx(1 - SMALL_SIGNATURES, abs=0.25)


def test_a_page_known_in_full_keeps_its_initials_and_stamps_when_it_is_signed_anew(tmp_path: Path) -> None:
    page = labelled(tmp_path, {0: SIGNED_AT, 1: INITIALLED_AT, 2: STAMPED_AT}, "all-kinds")
    made = [SignedAnew(5, (page,)).make(number) for number in range(16)]
    assert not any(one.only_signatures for one in made)
    as_they_were = [one for one in made if one.scanner == "as_it_was"]
    for one in as_they_were:
        assert {("initials", INITIALLED_AT), ("stamp", STAMPED_AT)} <= {
            (kind, tuple(round(side) for side in box)) for kind, box in one.boxes
        }
    again = [{kind for kind, _ in one.boxes} for one in made if one.scanner != "as_it_was"]
    assert np.mean([{"initials", "stamp"} <= kinds for kinds in again]) > 0.6, "most scans keep what was there"


@pytest.mark.parametrize(
    ("tags", "stamp"),
    [("en", STAMPED_AT), ("all-kinds", (280, 690, 420, 800))],
    ids=["others were not looked for", "a stamp lies on the signature that goes"],
)
def test_else_only_signatures_are_vouched_for(tmp_path: Path, tags: str, stamp: Box) -> None:
    page = labelled(tmp_path, {0: SIGNED_AT, 2: stamp}, tags)
    made = [SignedAnew(5, (page,)).make(number) for number in range(8)]
    assert all(one.only_signatures for one in made)
    assert {kind for one in made for kind, _ in one.boxes} == {"signature"}
