"""Synthetic folders and real cuttings: the layout on disk, the class numbers, what is cut and what is refused."""

import csv
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image

from services.trainer.dataset import DatasetError
from services.trainer.synthesis.__main__ import main
from services.trainer.synthesis.contracts import stamped_page
from services.trainer.synthesis.crops import RealInk, ink_of, real_ink
from services.trainer.synthesis.ink import rasterise
from services.trainer.synthesis.recipes import RECIPES
from services.trainer.synthesis.scanning import born_digital, fax
from services.trainer.synthesis.signature import signature
from services.trainer.synthesis.writing_out import Series, write_pages


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("synthetic")
    assert list(write_pages(Series(5, out, long_side=480, all_kinds=True), 10, 6, processes=1)) == [1, 2, 3, 4, 5, 6]
    return out


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def test_every_page_has_image_label_and_index_line_that_agree(folder: Path) -> None:
    rows = rows_of(folder / "index.csv")
    assert len(rows) == 6
    for row in rows:
        size = Image.open(folder / "images" / row["source"] / row["file"]).size
        label = (folder / "labels" / row["source"] / row["file"]).with_suffix(".txt").read_text().splitlines()
        assert size == (int(row["width"]), int(row["height"]))
        assert sum(line.startswith("0 ") for line in label) == int(row["n_boxes"])
        assert ("signed" in row["tags"].split(",")) == (int(row["n_boxes"]) > 0)
        assert all(0 <= float(value) <= 1 for line in label for value in line.split()[1:])


def test_initials_and_stamps_get_their_own_class_or_none(folder: Path, tmp_path: Path) -> None:
    others = [row["cls"] for row in rows_of(folder / "other_classes.csv")]
    written = [line[0] for path in (folder / "labels").rglob("*.txt") for line in path.read_text().splitlines()]
    assert written.count("1") == others.count("initials")
    assert written.count("2") == others.count("stamp")
    assert written.count("1") + written.count("2") > 0
    list(write_pages(Series(5, tmp_path, long_side=480), 10, 6, processes=1))
    plain = [line[0] for path in (tmp_path / "labels").rglob("*.txt") for line in path.read_text().splitlines()]
    assert plain == ["0"] * written.count("0")


def test_pages_do_not_depend_on_how_the_work_is_split(folder: Path, tmp_path: Path) -> None:
    list(write_pages(Series(5, tmp_path, long_side=480, all_kinds=True), 13, 2, processes=2))
    files = sorted(path.relative_to(tmp_path) for path in (tmp_path / "images").rglob("s5-*"))
    assert len(files) == 2
    for file in files:
        assert (tmp_path / file).read_bytes() == (folder / file).read_bytes()


def test_one_may_ask_for_some_kinds_of_page_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["--pages", "3", "--out", str(tmp_path), "--long-side", "480", "--processes", "1", "--only"]
    main([*command, "memo", "receipt"])
    for row in rows_of(tmp_path / "index.csv"):
        assert {"memo", "receipt"} & set(row["tags"].split(","))
    with pytest.raises(SystemExit):
        main([*command, "novel"])
    assert "archive_letter" in capsys.readouterr().err


def test_a_second_run_into_the_folder_adds_to_its_lists(tmp_path: Path) -> None:
    for first, count in ((0, 2), (1, 2)):
        list(write_pages(Series(6, tmp_path, long_side=320), first, count, processes=1))
    assert sorted(row["file"][:9] for row in rows_of(tmp_path / "index.csv")) == ["s6-000000", "s6-000001", "s6-000002"]


def test_of_a_page_drawn_again_with_other_options_the_first_drawing_goes(tmp_path: Path) -> None:
    for scanner, first, count in ((fax, 0, 2), (born_digital, 1, 1)):
        recipe = replace(RECIPES[0], layout=stamped_page, scanners={scanner: 1.0})
        list(write_pages(Series(6, tmp_path, long_side=320, recipes=(recipe,)), first, count, processes=1))
    files = ["s6-000000.png", "s6-000001.jpg"]
    assert sorted(path.name for path in (tmp_path / "images").rglob("s6-*")) == files
    assert [row["file"] for row in rows_of(tmp_path / "index.csv")] == files
    assert {row["file"] for row in rows_of(tmp_path / "other_classes.csv")} <= set(files)


def crop_with_signature() -> np.ndarray:
    alpha = rasterise(signature(np.random.default_rng(4), "Ellen Dimmock"), (220, 70), 2.5)
    return np.asarray(255 - np.pad(alpha, 12), np.uint8)


def test_a_signature_is_cut_tight_and_without_the_rule_it_stands_on() -> None:
    crop = crop_with_signature()
    bare = ink_of(crop)
    assert bare is not None
    crop[crop.shape[0] - 14 : crop.shape[0] - 12] = 0
    ruled = ink_of(crop)
    assert ruled is not None
    assert abs(ruled.shape[0] - bare.shape[0]) <= 6
    assert ruled.mean() == pytest.approx(bare.mean(), rel=0.25)


def test_print_under_a_signature_is_left_out() -> None:
    crop = np.pad(crop_with_signature(), ((0, 24), (0, 0)), constant_values=255)
    bare = ink_of(crop)
    cv2.putText(crop, "E. Dimmock, Director", (8, crop.shape[0] - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.4, 0, 1)
    cut = ink_of(crop)
    assert bare is not None
    assert cut is not None
    assert cut.shape[0] <= bare.shape[0] + 4


@pytest.mark.parametrize(
    "crop", [np.full((60, 200), 240, np.uint8), np.zeros((60, 200), np.uint8), np.zeros((9, 9), np.uint8)]
)
def test_paper_blackness_and_tiny_crops_give_nothing(crop: np.ndarray) -> None:
    assert ink_of(crop) is None


def test_drawn_signatures_fit_the_room_given() -> None:
    library = RealInk((np.full((40, 200), 255, np.uint8),))
    drawn = library.draw(np.random.default_rng(0), (100, 100))
    assert drawn.shape[1] <= 111
    assert 18 <= drawn.shape[0] <= 22


def test_signatures_are_cut_from_pages_as_displayed(tmp_path: Path) -> None:
    page = np.full((400, 300), 255, np.uint8)
    crop = crop_with_signature()
    height, width = crop.shape
    page[40 : 40 + height, 20 : 20 + width] = crop
    for part in ("images/some", "labels/some"):
        (tmp_path / part).mkdir(parents=True)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # stored lying on its side
    turned = Image.fromarray(page).transpose(Image.Transpose.ROTATE_90)
    turned.save(tmp_path / "images/some/a.jpg", quality=95, exif=exif)
    line = f"0 {(20 + width / 2) / 300} {(40 + height / 2) / 400} {width / 300} {height / 400}\n"
    (tmp_path / "labels/some/a.txt").write_text(line)
    (tmp_path / "index.csv").write_text("source,file,n_boxes,group,split\nsome,a.jpg,1,g,train\n")
    (cut,) = real_ink(tmp_path).patches
    whole = ink_of(crop)
    assert whole is not None
    assert cut.shape == pytest.approx(whole.shape, abs=2)


def test_only_the_split_asked_for_is_cut(tmp_path: Path) -> None:
    page = np.full((400, 400), 255, np.uint8)
    crop = crop_with_signature()
    page[100 : 100 + crop.shape[0], 60 : 60 + crop.shape[1]] = crop
    height, width = crop.shape
    for part in ("images/some", "labels/some"):
        (tmp_path / part).mkdir(parents=True)
    Image.fromarray(page).save(tmp_path / "images/some/a.png")
    centre = f"0 {(60 + width / 2) / 400} {(100 + height / 2) / 400} {width / 400} {height / 400}\n"
    stamp = "2 0.5 0.8 0.4 0.2\n"
    (tmp_path / "labels/some/a.txt").write_text(centre + stamp)
    (tmp_path / "index.csv").write_text("source,file,n_boxes,group,split\nsome,a.png,1,g,train\n")
    assert len(real_ink(tmp_path, "train").patches) == 1
    with pytest.raises(DatasetError, match="no usable signature"):
        real_ink(tmp_path, "train", held_out=1.0)
    with pytest.raises(DatasetError, match="no page in split 'val'"):
        real_ink(tmp_path, "val")
