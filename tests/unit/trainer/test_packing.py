"""Pages packed for training: groups stay whole, pixels are production's, labels come along."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.trainer.dataset import DatasetError, LabelledBox, LabelledPage
from services.trainer.packing import HELD_OUT, Packing, label_of, pack, reduce_page


def labelled(folder: Path, group: int, page: int) -> LabelledPage:
    path = folder / f"{group}_{page}.png"
    Image.new("1", (40, 60), 1).save(path)
    return LabelledPage("s", path, (LabelledBox(0, 0.5, 0.5, 0.25, 0.125),), group=f"group{group}")


def group_of(packed: str) -> str:
    return packed.split("__")[1].split("_")[0]


def packed_pages(described: Path) -> list[tuple[int, tuple[int, int], str]]:
    """Shade, size and label of each page that is trained on."""
    found = []
    for path in map(Path, Path(json.loads(described.read_text())["train"]).read_text().splitlines()):
        with Image.open(path) as image:
            found.append((int(np.asarray(image.convert("L")).mean()), image.size, label_of(path).read_text()))
    return found


def test_groups_stay_whole_and_labels_come_along(tmp_path: Path) -> None:
    pages = [labelled(tmp_path, group, page) for group in range(30) for page in range(2)]
    described = pack(pages, [], Packing(tmp_path / "packed", long_side=64, held_out_share=0.3))
    held = {path.stem for path in (tmp_path / "packed" / "images" / HELD_OUT).iterdir()}
    trained = {path.stem for path in (tmp_path / "packed" / "images" / "train").iterdir()}
    assert len(held) + len(trained) == 60
    assert held
    assert not {group_of(name) for name in held} & {group_of(name) for name in trained}
    label = tmp_path / "packed" / "labels" / HELD_OUT / f"{min(held)}.txt"
    assert label.read_text() == "0 0.500000 0.500000 0.250000 0.125000\n"
    assert str(tmp_path / "packed") in described.read_text()


def test_with_nothing_held_out_every_page_is_trained_on_and_some_are_watched(tmp_path: Path) -> None:
    pages = [labelled(tmp_path, group, 0) for group in range(12)]
    described = json.loads(pack(pages, [], Packing(tmp_path / "packed", long_side=64, held_out_share=0)).read_text())
    trained = Path(described["train"]).read_text().splitlines()
    assert len(trained) == 12
    assert set(Path(described["val"]).read_text().splitlines()) <= set(trained)


def test_pages_of_one_name_keep_their_own_labels(tmp_path: Path) -> None:
    pages = []
    for number in range(2):
        path = tmp_path / f"folder{number}" / "1.png"
        path.parent.mkdir()
        Image.new("L", (40, 60), 200 + number).save(path)
        pages.append(LabelledPage("s", path, (LabelledBox(number, 0.5, 0.5, 0.25, 0.125),), group=str(number)))
    packed = packed_pages(pack(pages, [], Packing(tmp_path / "packed", 60, held_out_share=0, kinds=2)))
    assert [(shade, label[0]) for shade, _, label in packed] == [(200, "0"), (201, "1")]


def test_what_was_packed_before_is_not_taken_for_a_page_drawn_anew_or_larger(tmp_path: Path) -> None:
    page = labelled(tmp_path, 0, 0)
    pack([page], [], Packing(tmp_path / "packed", 30, held_out_share=0))
    ((_, size, _),) = packed_pages(pack([page], [], Packing(tmp_path / "packed", 60, held_out_share=0)))
    assert size == (40, 60)
    Image.new("L", (60, 60), 90).save(page.path)
    ((shade, size, _),) = packed_pages(pack([page], [], Packing(tmp_path / "packed", 60, held_out_share=0)))
    assert (shade, size) == (90, (60, 60))


def test_where_nothing_is_left_to_train_on_it_says_so(tmp_path: Path) -> None:
    packing = Packing(tmp_path / "packed", 64, held_out_share=1.0)
    with pytest.raises(DatasetError, match="--held-out 0"):
        pack([labelled(tmp_path, 0, 0)], [], packing)
    assert len(packed_pages(pack([labelled(tmp_path, 0, 0)], [labelled(tmp_path, 1, 0)], packing))) == 1


def test_thin_ink_survives_reduction_as_grey(tmp_path: Path) -> None:
    page = np.full((1600, 1200), 255, dtype=np.uint8)
    page[800] = 0
    Image.fromarray(page).convert("1").save(tmp_path / "thin.tif")
    image, full = reduce_page(tmp_path / "thin.tif", 320)
    assert full == (1200, 1600)
    assert image.size == (240, 320)
    assert np.asarray(image).min() in range(190, 225)  # one dark line in five
