"""Real pages with more labels: which are known for every kind, and that nothing of what was labelled is lost."""

import csv
from pathlib import Path

import pytest
from PIL import Image

from services.trainer.dataset import DatasetError, LabelledPage, read_pages
from services.trainer.dataset_check import check
from services.trainer.packing import Packing, pack
from services.trainer.partial_labels import FULLY_LABELLED
from services.trainer.relabelling import main, relabel
from shared.domain.labels import ALL_KINDS, KINDS, SIGNATURES_ONLY

LABELS = """source,file,cls,cx,cy,w,h
scans,signed.png,initials,0.9,0.95,0.05,0.02
scans,signed.png,stamp,0.3,0.3,0.2,0.1
scans,forgotten.png,signature,0.5,0.8,0.3,0.1
scans,plain.png,,,,,
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Four pages labelled for signatures: on one nobody marked it, and one will not be gone over."""
    folder = tmp_path / "data"
    rows = ["source,file,width,height,n_boxes,group,tags,split"]
    for shade, (name, boxes) in enumerate({"signed": 1, "forgotten": 0, "plain": 0, "unseen": 0}.items()):
        image = folder / "images/scans" / f"{name}.png"
        image.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.linear_gradient("L").rotate(90 * shade).resize((60, 80))
        picture.save(image)
        rows.append(
            f'scans,{name}.png,60,80,{boxes},{name},"en,{"signed" if boxes else "unsigned"},{SIGNATURES_ONLY}",train'
        )
    (folder / "labels/scans").mkdir(parents=True)
    (folder / "labels/scans/signed.txt").write_text("0 0.5 0.5 0.2 0.1")
    (folder / "index.csv").write_text("\n".join(rows) + "\n")
    (folder / "sources.csv").write_text("source,licence\nscans,MIT\n")
    (folder / "other_classes.csv").write_text("source,file,cls,cx,cy,w,h\nscans,plain.png,logo,0.2,0.1,0.1,0.1\n")
    return folder


def relabelled(data: Path, labels: str = LABELS) -> dict[str, LabelledPage]:
    file = data.parent / "labels.csv"
    file.write_text(labels)
    relabel(data, file, data.parent / "more")
    return {page.path.stem: page for page in read_pages(data.parent / "more")}


def test_boxes_are_added_and_what_was_labelled_stays(data: Path) -> None:
    pages = relabelled(data)
    kinds = {name: [box.kind for box in page.boxes] for name, page in pages.items()}
    assert kinds == {"signed": [0, 1, 2], "forgotten": [0], "plain": [], "unseen": []}
    assert pages["signed"].boxes[0].cx == 0.5
    assert pages["forgotten"].boxes[0].cy == 0.8
    assert check(list(pages.values())) == []
    assert (data.parent / "more/sources.csv").read_text() == "source,licence\nscans,MIT\n"
    assert [page.boxes for page in read_pages(data)][1] == ()  # the folder it came from is as it was


def test_kinds_that_were_labelled_before_stay_beside_the_new_ones(data: Path) -> None:
    with (data / "other_classes.csv").open("a") as handle:
        handle.write("scans,signed.png,paraphe,0.1,0.9,0.05,0.02\nscans,unseen.png,paraphe,0.1,0.9,0.05,0.02\n")
    (data / "labels/scans/signed.txt").write_text("0 0.5 0.5 0.2 0.1\n2 0.7 0.7 0.1 0.1\n")
    pages = relabelled(data)
    assert sorted(box.kind for box in pages["signed"].boxes) == [0, 1, 1, 2, 2]
    assert [box.kind for box in pages["unseen"].boxes] == [1]


def test_pages_tell_what_they_are_labelled_for(data: Path) -> None:
    pages = relabelled(data)
    assert {name for name, page in pages.items() if ALL_KINDS in page.tags} == {"signed", "forgotten", "plain"}
    assert pages["unseen"].tags == {"en", "unsigned", SIGNATURES_ONLY}
    assert pages["forgotten"].tags == {"en", "signed", ALL_KINDS}
    assert pages["forgotten"].expected_boxes == 1


def test_training_believes_pages_that_were_gone_over_for_every_kind(data: Path) -> None:
    pages = relabelled(data)
    pack(list(pages.values()), [], Packing(data.parent / "packed", 64, 0.0, kinds=3))
    believed = {
        path.name for path in (data.parent / "packed/images/train").iterdir() if path.name.startswith(FULLY_LABELLED)
    }
    assert {name.split("__")[2] for name in believed} == {"signed", "forgotten", "plain"}


def test_the_labels_that_are_shipped_make_sense() -> None:
    with (Path(__file__).parents[3] / "models/labels.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == len({tuple(row.values()) for row in rows})
    for row in rows:
        assert row["cls"] in ("", *KINDS)
        if row["cls"]:
            cx, cy, width, height = (float(row[side]) for side in ("cx", "cy", "w", "h"))
            assert 0 < width < 1
            assert 0 < height < 1
            assert -0.001 <= cx - width / 2 < cx + width / 2 <= 1.001, row
            assert -0.001 <= cy - height / 2 < cy + height / 2 <= 1.001, row


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("scans,gone.png,stamp,0.5,0.5,0.1,0.1", "scans/gone.png is not in"),
        ("scans,plain.png,stamp,0.5,half,0.1,0.1", "line 6: a box is four numbers, cx, cy, w, h"),
        ("scans,plain.png,stamp,250,300,80,80", "line 6: cx, cy, w and h are shares of the page"),
        ("scans,plain.png,stamp,0.5", "line 6: a box is four numbers"),
        ("scans,plain.png,logo,0.5,0.5,0.1,0.1", "line 6: 'logo' is none of signature, initials, stamp"),
    ],
)
def test_labels_that_make_no_sense_are_named_and_nothing_is_written(data: Path, line: str, told: str) -> None:
    with pytest.raises(DatasetError, match=told):
        relabelled(data, f"{LABELS}{line}\n")
    assert not (data.parent / "more").exists()


def test_a_file_that_is_no_list_of_labels_is_named(data: Path) -> None:
    with pytest.raises(DatasetError, match="must name the columns source, file, cls"):
        relabelled(data, "page,kind\nplain.png,stamp\n")


def test_a_folder_that_is_there_is_left_alone(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = data.parent / "labels.csv"
    labels.write_text(LABELS)
    arguments = ["--data", str(data), "--labels", str(labels), "--out", str(data.parent / "more")]
    main(arguments)
    assert capsys.readouterr().out.startswith("3 pages of ")
    with pytest.raises(SystemExit, match="is there already"):
        main(arguments)
