"""Pages packed for training: groups stay whole, pixels are production's, labels come along."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from services.trainer.dataset import LabelledBox, LabelledPage
from services.trainer.packing import HELD_OUT, Packing, pack, reduce_page


def labelled(folder: Path, group: int, page: int) -> LabelledPage:
    path = folder / f"{group}_{page}.png"
    Image.new("1", (40, 60), 1).save(path)
    return LabelledPage("s", path, (LabelledBox(0, 0.5, 0.5, 0.25, 0.125),), group=f"group{group}")


def test_groups_stay_whole_and_labels_come_along(tmp_path: Path) -> None:
    pages = [labelled(tmp_path, group, page) for group in range(30) for page in range(2)]
    described = pack(pages, [], Packing(tmp_path / "packed", long_side=64, held_out_share=0.3))
    held = {path.stem for path in (tmp_path / "packed" / "images" / HELD_OUT).iterdir()}
    trained = {path.stem for path in (tmp_path / "packed" / "images" / "train").iterdir()}
    assert len(held) + len(trained) == 60
    assert held
    assert not {name.rsplit("_", 1)[0] for name in held} & {name.rsplit("_", 1)[0] for name in trained}
    label = tmp_path / "packed" / "labels" / HELD_OUT / f"{min(held)}.txt"
    assert label.read_text() == "0 0.500000 0.500000 0.250000 0.125000\n"
    assert str(tmp_path / "packed") in described.read_text()


def test_with_nothing_held_out_every_page_is_trained_on_and_some_are_watched(tmp_path: Path) -> None:
    pages = [labelled(tmp_path, group, 0) for group in range(12)]
    described = json.loads(pack(pages, [], Packing(tmp_path / "packed", long_side=64, held_out_share=0)).read_text())
    trained = Path(described["train"]).read_text().splitlines()
    assert len(trained) == 12
    assert set(Path(described["val"]).read_text().splitlines()) <= set(trained)


def test_thin_ink_survives_reduction_as_grey(tmp_path: Path) -> None:
    page = np.full((1600, 1200), 255, dtype=np.uint8)
    page[800] = 0
    Image.fromarray(page).convert("1").save(tmp_path / "thin.tif")
    image, full = reduce_page(tmp_path / "thin.tif", 320)
    assert full == (1200, 1600)
    assert image.size == (240, 320)
    assert np.asarray(image).min() in range(190, 225)  # one dark line in five
