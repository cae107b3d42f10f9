"""Parts that a network for looks from near learns from: as large as production shows them, labels around the ink."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from services.trainer.dataset import DatasetError, LabelledBox, LabelledPage, read_pages
from services.trainer.dataset_check import check
from services.trainer.near_parts import Cutting, cut, main
from shared.domain.at_stamps import ENLARGED
from shared.domain.labels import ALL_KINDS, SIGNATURES_ONLY

WIDTH, HEIGHT = 800, 1024
LOOK = 1024
BLACK, BLUE = (0, 0, 0), (60, 80, 220)
SIGNATURE, STAMP = LabelledBox(0, 0.5, 0.8, 0.2, 0.05), LabelledBox(2, 0.6, 0.7, 0.1, 0.1)
INITIALS = LabelledBox(1, 0.55, 0.6, 0.05, 0.02)
ELSEWHERE = LabelledBox(0, 0.2, 0.05, 0.2, 0.05)


def page(
    folder: Path, *boxes: LabelledBox, name: str = "page", size: tuple[int, int] = (WIDTH, HEIGHT)
) -> LabelledPage:
    """White paper on which each box is filled with ink: stamps in blue, what is written in black."""
    paper = Image.new("RGB", size, "white")
    for box in boxes:
        ImageDraw.Draw(paper).rectangle(box.corners(*size), fill=BLUE if box.kind == STAMP.kind else BLACK)
    paper.save(folder / f"{name}.png")
    return LabelledPage("scans", folder / f"{name}.png", boxes, name)


def parts_of(pages: list[LabelledPage], out: Path, each: int = 8, stamped: bool = False) -> list[LabelledPage]:
    cut([], pages, Cutting(out, LOOK, each, stamped))
    return read_pages(out, "train")


def in_colours(part: LabelledPage) -> bool:
    return ALL_KINDS in part.tags


def ink(part: LabelledPage, box: LabelledBox) -> float:
    """How dark the darkest channel is within a box, on the whole: 0 to 255, where 255 is paper."""
    picture = np.asarray(Image.open(part.path).convert("RGB")).min(axis=2)
    x1, y1, x2, y2 = (round(side) for side in box.corners(*picture.shape[::-1]))
    return float(picture[y1 + 2 : y2 - 2, x1 + 2 : x2 - 2].mean())


def test_a_stamp_is_shown_as_large_as_production_shows_it_and_labels_enclose_the_ink(tmp_path: Path) -> None:
    parts = [
        part for part in parts_of([page(tmp_path, SIGNATURE, STAMP, INITIALS)], tmp_path / "out") if in_colours(part)
    ]
    assert len(parts) == 8
    for part in parts:
        picture = Image.open(part.path)
        (stamp,) = (box for box in part.boxes if box.kind == STAMP.kind)
        assert stamp.width * picture.width == pytest.approx(STAMP.width * WIDTH * ENLARGED, abs=2)
        assert stamp.height * picture.height == pytest.approx(STAMP.height * HEIGHT * ENLARGED, abs=2)
        assert {box.kind for box in part.boxes} == {0, 1, 2}
        assert all(ink(part, box) < 100 for box in part.boxes)
    assert len({part.boxes for part in parts}) > 2, "cut by chance"
    assert check(parts) == []


def test_without_colours_only_what_is_written_is_left_to_be_found(tmp_path: Path) -> None:
    parts = [
        part
        for part in parts_of([page(tmp_path, SIGNATURE, STAMP, INITIALS)], tmp_path / "out")
        if not in_colours(part)
    ]
    assert 2 <= len(parts) <= 7
    for part in parts:
        picture = Image.open(part.path)
        assert picture.mode == "L"
        assert part.tags == {SIGNATURES_ONLY}
        assert [box.kind for box in part.boxes] == [0]
        assert ink(part, part.boxes[0]) < 10, "black ink stays"


def test_pages_without_colours_or_without_a_stamp_are_shown_once(tmp_path: Path) -> None:
    grey = page(tmp_path, SIGNATURE, STAMP)
    Image.open(grey.path).convert("L").save(grey.path)
    assert len(parts_of([grey, page(tmp_path, SIGNATURE, name="signed")], tmp_path / "out", each=3)) == 6


def test_a_page_without_a_stamp_is_cut_at_a_signature_and_an_empty_one_anywhere_or_both_are_left_out(
    tmp_path: Path,
) -> None:
    signed, empty = page(tmp_path, ELSEWHERE, name="signed"), page(tmp_path, name="empty")
    parts = parts_of([signed, empty], tmp_path / "out", each=2)
    assert [len(part.boxes) for part in parts] == [1, 1, 0, 0]
    assert all(ink(part, box) < 10 for part in parts for box in part.boxes)
    with pytest.raises(DatasetError, match="No pages with a stamp"):
        parts_of([signed, empty], tmp_path / "stamped", stamped=True)
    assert not (tmp_path / "stamped").exists()


def test_a_page_narrower_than_a_part_lies_on_grey(tmp_path: Path) -> None:
    (part,) = parts_of([page(tmp_path, STAMP, size=(200, HEIGHT))], tmp_path / "out", each=1)[:1]
    picture = np.asarray(Image.open(part.path).convert("RGB"))
    assert picture.shape[0] == picture.shape[1]
    assert (picture[:, round(200 * ENLARGED) + 3 :] == 114).all()
    assert ink(part, part.boxes[0]) < 100


def test_what_pages_are_labelled_for_stays_known(tmp_path: Path) -> None:
    real, drawn = page(tmp_path, SIGNATURE, name="real"), page(tmp_path, SIGNATURE, name="drawn")
    cut([real], [drawn], Cutting(tmp_path / "out", LOOK))
    assert [part.tags for part in read_pages(tmp_path / "out")] == [{SIGNATURES_ONLY}, {ALL_KINDS}]


def test_the_same_seed_cuts_the_same_parts(tmp_path: Path) -> None:
    pages = [page(tmp_path, SIGNATURE, STAMP)]
    first, again = parts_of(pages, tmp_path / "first"), parts_of(pages, tmp_path / "again")
    assert [part.boxes for part in first] == [part.boxes for part in again]
    cut([], pages, Cutting(tmp_path / "other", LOOK, each=8, seed=1))
    assert [part.boxes for part in first] != [part.boxes for part in read_pages(tmp_path / "other")]


def test_a_page_that_cannot_be_read_is_named_and_nothing_is_left_half_built(tmp_path: Path) -> None:
    broken = page(tmp_path, SIGNATURE, name="broken")
    broken.path.write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"scans/broken\.png"):
        parts_of([broken], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_says_what_it_wrote_and_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page_of_data = page(tmp_path, SIGNATURE, name="one")
    (tmp_path / "data/images/train").mkdir(parents=True)
    (tmp_path / "data/labels/train").mkdir(parents=True)
    page_of_data.path.rename(tmp_path / "data/images/train/one.png")
    (tmp_path / "data/labels/train/one.txt").write_text("0 0.5 0.8 0.2 0.05\n")
    arguments = ["--extra", str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--each", "2"]
    main(arguments)
    assert capsys.readouterr().out == f"{tmp_path / 'out'}: 2 parts\n"
    with pytest.raises(SystemExit, match="is there already"):
        main(arguments)
    with pytest.raises(SystemExit, match="No pages: name some with --data or --extra"):
        main(["--out", str(tmp_path / "none")])
