"""Reading, checking and pinning datasets, good and bad."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.trainer.dataset import DatasetError, read_pages
from services.trainer.dataset_check import Fault, check
from services.trainer.dataset_version import build, counts

HEADER = "source,file,width,height,n_boxes,group,doc,tags,note,bytes,split\n"


def picture(seed: int, size: tuple[int, int] = (120, 160)) -> Image.Image:
    """A page of random grey cells: distinct from other seeds, stable under scaling."""
    cells = np.random.default_rng(seed).integers(0, 255, (20, 15)).astype(np.uint8)
    return Image.fromarray(cells).resize(size, Image.Resampling.BICUBIC)


def add_page(folder: Path, name: str, seed: int, label: str | None, row: str) -> None:
    image = folder / "images" / "scans" / name
    image.parent.mkdir(parents=True, exist_ok=True)
    picture(seed).save(image)
    if label is not None:
        path = folder / "labels" / "scans" / f"{image.stem}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(label)
    index = folder / "index.csv"
    if not index.exists():
        index.write_text(HEADER)
    with index.open("a") as handle:
        handle.write(f"scans,{name},{row}\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pages of two documents, nothing wrong with them."""
    add_page(tmp_path, "a1.png", 1, "0 0.5 0.5 0.2 0.1\n", '120,160,1,doc:a,a,"en,signed",,1,train')
    add_page(tmp_path, "a2.png", 2, None, "120,160,0,doc:a,a,en,,1,train")
    add_page(tmp_path, "b1.png", 3, "0 0.3 0.3 0.2 0.1\n", "120,160,1,doc:b,b,fr,,1,val")
    return tmp_path


def faults(folder: Path) -> list[Fault]:
    return [problem.fault for problem in check(read_pages(folder))]


def test_our_layout_is_read_with_groups_splits_tags_and_overlaps(folder: Path) -> None:
    (folder / "boxes.csv").write_text("source,file,box,overlapped\nscans,a1.png,0,Yes\n")
    pages = {page.path.name: page for page in read_pages(folder)}
    assert pages["a1.png"].tags == {"en", "signed"}
    assert pages["a1.png"].boxes[0].overlapped is True
    assert pages["a1.png"].boxes[0].corners(100, 200) == pytest.approx((40, 90, 60, 110))
    assert [page.path.name for page in read_pages(folder, "val")] == ["b1.png"]


def test_initials_kept_apart_are_read_and_logos_are_not(folder: Path) -> None:
    rows = (
        "scans,b1.png,paraphe,0.8,0.9,0.1,0.05\nscans,b1.png,logo,0.1,0.1,0.1,0.1\nscans,a1.png,stamp,0.2,0.2,0.1,0.1\n"
    )
    (folder / "other_classes.csv").write_text("source,file,cls,cx,cy,w,h\n" + rows)
    (folder / "labels" / "scans" / "a1.txt").write_text("0 0.5 0.5 0.2 0.1\n2 0.2 0.2 0.1 0.1\n")
    pages = {page.path.name: page for page in read_pages(folder)}
    assert [box.kind for box in pages["b1.png"].boxes] == [0, 1]
    assert [box.kind for box in pages["a1.png"].boxes] == [0, 2]  # a label file that has the kind already wins
    assert check(list(pages.values())) == []


def test_a_good_dataset_has_no_problem(folder: Path) -> None:
    assert check(read_pages(folder)) == []


def test_yolo_folders_are_read(tmp_path: Path) -> None:
    for split, name in (("train", "x"), ("valid", "y")):
        (tmp_path / "images" / split).mkdir(parents=True)
        (tmp_path / "labels" / split).mkdir(parents=True)
        picture(5).save(tmp_path / "images" / split / f"{name}.png")
        (tmp_path / "labels" / split / f"{name}.txt").write_text("0 0.5 0.5 0.5 0.25\n")
    pages = read_pages(tmp_path)
    assert [(page.split, len(page.boxes)) for page in pages] == [("train", 1), ("val", 1)]


def test_coco_folders_are_read(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    picture(5).save(tmp_path / "train" / "x.png")
    content = {
        "images": [{"id": 7, "file_name": "x.png", "width": 120, "height": 160}],
        "categories": [{"id": 1, "name": "Signature"}, {"id": 2, "name": "stamp"}, {"id": 3, "name": "table"}],
        "annotations": [
            {"image_id": 7, "category_id": 1, "bbox": [12, 16, 24, 32]},
            {"image_id": 7, "category_id": 2, "bbox": [0, 0, 120, 160]},
            {"image_id": 7, "category_id": 3, "bbox": [0, 0, 1, 1]},
        ],
    }
    (tmp_path / "train" / "_annotations.coco.json").write_text(json.dumps(content))
    (page,) = read_pages(tmp_path)
    signature, stamp = page.boxes
    assert (signature.kind, signature.cx, signature.cy, signature.width) == (0, 0.2, 0.2, 0.2)
    assert (stamp.kind, stamp.width, stamp.height) == (2, 1.0, 1.0)
    assert check([page]) == []


def write_coco(folder: Path, names: dict[int, str], marked: list[int]) -> None:
    content = {
        "images": [{"id": 7, "file_name": "x.png", "width": 120, "height": 160}],
        "categories": [{"id": number, "name": name} for number, name in names.items()],
        "annotations": [{"image_id": 7, "category_id": number, "bbox": [12, 16, 24, 32]} for number in marked],
    }
    (folder / "annotations.json").write_text(json.dumps(content))


def test_the_one_category_that_coco_marks_means_signatures(tmp_path: Path) -> None:
    write_coco(tmp_path, {0: "objects", 1: "autograph"}, [1, 1])
    (page,) = read_pages(tmp_path)
    assert [box.kind for box in page.boxes] == [0, 0]


def test_coco_categories_that_are_none_of_ours_are_named(tmp_path: Path) -> None:
    write_coco(tmp_path, {1: "autograph", 2: "date"}, [1, 2])
    with pytest.raises(DatasetError, match=r"annotations\.json.* autograph, date"):
        read_pages(tmp_path)


def test_a_missing_label_is_named(folder: Path) -> None:
    (folder / "labels" / "scans" / "a1.txt").unlink()
    (problem,) = check(read_pages(folder))
    assert problem.fault is Fault.MISSING_LABEL
    assert "scans/a1.png" in str(problem)


def test_a_yolo_page_without_a_label_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    picture(1).save(tmp_path / "images" / "x.png")
    assert faults(tmp_path) == [Fault.MISSING_LABEL]


def test_a_box_outside_the_page_is_named(folder: Path) -> None:
    (folder / "labels" / "scans" / "b1.txt").write_text("0 0.95 0.3 0.2 0.1\n")
    assert faults(folder) == [Fault.BOX_OUTSIDE]


def test_empty_boxes_and_unknown_classes_are_named(folder: Path) -> None:
    (folder / "labels" / "scans" / "b1.txt").write_text("9 0.5 0.3 0.0 0.1\n")
    assert faults(folder) == [Fault.BOX_COUNT, Fault.UNKNOWN_CLASS, Fault.BOX_EMPTY]


def test_a_broken_image_is_named(folder: Path) -> None:
    path = folder / "images" / "scans" / "a1.png"
    path.write_bytes(path.read_bytes()[:400])
    (problem,) = check(read_pages(folder))
    assert problem.fault is Fault.BROKEN_IMAGE
    assert problem.page == "scans/a1.png"


def test_a_missing_image_is_named(folder: Path) -> None:
    (folder / "images" / "scans" / "a2.png").unlink()
    assert faults(folder) == [Fault.MISSING_IMAGE]


def test_every_picture_is_named_where_none_can_be_read(folder: Path) -> None:
    for path in (folder / "images" / "scans").iterdir():
        path.write_bytes(b"not an image")
    assert faults(folder) == [Fault.BROKEN_IMAGE] * 3


def test_boxes_of_unknown_classes_are_counted_as_such(folder: Path) -> None:
    (folder / "labels" / "scans" / "b1.txt").write_text("9 0.5 0.3 0.2 0.1\n-1 0.5 0.3 0.2 0.1\n")
    assert counts(read_pages(folder))["all"] == {"pages": 3, "signed": 1, "signature": 1, "class 9": 1, "class -1": 1}


def test_a_label_line_that_is_no_box_stops_the_reading_with_its_place(folder: Path) -> None:
    (folder / "labels" / "scans" / "b1.txt").write_text("0 0.5 0.5 0.1 0.1\n0 half 0.3 0.2 0.1\n")
    with pytest.raises(DatasetError, match=r"b1\.txt: line 2"):
        read_pages(folder)


def test_a_group_in_two_splits_is_named(folder: Path) -> None:
    add_page(folder, "b2.png", 9, None, "120,160,0,doc:b,b,fr,,1,train")
    assert faults(folder) == [Fault.SPLIT_GROUP]


def test_a_rescaled_copy_in_another_split_is_found(folder: Path) -> None:
    add_page(folder, "copy.jpg", 3, "0 0.3 0.3 0.2 0.1\n", "90,120,1,doc:c,c,fr,,1,train")
    picture(3).resize((90, 120)).save(folder / "images" / "scans" / "copy.jpg", quality=70)
    (problem,) = check(read_pages(folder))
    assert problem.fault is Fault.DUPLICATE
    assert {"b1.png", "copy.jpg"} <= {word.strip(":").removeprefix("scans/") for word in str(problem).split()}


def test_a_manifest_pins_files_splits_counts_and_licences(folder: Path, tmp_path: Path) -> None:
    (folder / "sources.csv").write_text("source,licence\nscans,CC BY 4.0\n")
    first = build(folder, read_pages(folder), tmp_path / "dataset.json", {})
    assert json.loads((tmp_path / "dataset.json").read_text()) == first
    assert first["licences"] == {"scans": "CC BY 4.0"}
    assert first["counts"]["all"] == {"pages": 3, "signed": 2, "signature": 2}
    assert first["counts"]["split:val"]["pages"] == 1
    (folder / "labels" / "scans" / "b1.txt").write_text("0 0.31 0.3 0.2 0.1\n")
    assert build(folder, read_pages(folder), tmp_path / "dataset.json", {})["version"] != first["version"]


def test_nothing_is_built_from_bad_data(folder: Path, tmp_path: Path) -> None:
    (folder / "images" / "scans" / "a2.png").write_bytes(b"not an image")
    (folder / "labels" / "scans" / "b1.txt").write_text("0 0.95 0.3 0.2 0.1\n")
    with pytest.raises(DatasetError) as raised:
        build(folder, read_pages(folder), tmp_path / "dataset.json", {})
    assert "a2.png" in str(raised.value)
    assert "b1.png" in str(raised.value)
    assert list(tmp_path.glob("dataset.json*")) == []


def test_where_data_names_no_split_whole_groups_get_one(tmp_path: Path) -> None:
    for number in range(80):
        add_page(tmp_path, f"{number}.png", number, "", f"120,160,0,g{number // 2},d,,,1,")
    by_group: dict[str, set[str | None]] = {}
    for page in read_pages(tmp_path):
        by_group.setdefault(page.group, set()).add(page.split)
    assert all(len(splits) == 1 for splits in by_group.values())
    assert {split for splits in by_group.values() for split in splits} == {"train", "val"}
    assert len(read_pages(tmp_path, "train")) + len(read_pages(tmp_path, "val")) == 80


def test_one_paper_scanned_twice_is_named_where_its_scans_would_part(tmp_path: Path) -> None:
    for number in range(12):
        add_page(tmp_path, f"{number}.png", 7, "", f"120,160,0,g{number},d,,,1,")
    assert set(faults(tmp_path)) == {Fault.DUPLICATE}


@pytest.mark.parametrize("content", ["missing", "empty"])
def test_a_folder_that_is_no_dataset_says_so(tmp_path: Path, content: str) -> None:
    target = tmp_path / "data"
    if content == "empty":
        target.mkdir()
    with pytest.raises(DatasetError, match="data"):
        read_pages(target)
