"""The sample documents: what the script writes is what the shipped folder holds and its list says."""

import json
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image, ImageSequence

from samples.make_samples import DOTS_PER_INCH, HERE, write_samples

SHIPPED = HERE / "documents"
CLEARLY_ANOTHER = 64
"""Grey levels between two pixels that no rounding, which is another processor's own, makes of one."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    write_samples(folder)
    return folder


def pages_of(path: Path) -> list[np.ndarray]:
    """The pages in grey levels (h, w)."""
    if path.suffix == ".pdf":
        document = pypdfium2.PdfDocument(path)
        pages = [page.render(scale=DOTS_PER_INCH / 72).to_pil() for page in document]
    else:
        pages = [frame.copy() for frame in ImageSequence.Iterator(Image.open(path))]
    return [np.asarray(page.convert("L"), int) for page in pages]


def share_of_other_pixels(one: np.ndarray, other: np.ndarray) -> float:
    return float((np.abs(one - other) > CLEARLY_ANOTHER).mean()) if one.shape == other.shape else 1.0


def test_the_script_draws_the_shipped_documents(written: Path) -> None:
    assert (written / "expected.json").read_text() == (SHIPPED / "expected.json").read_text()
    for name in json.loads((written / "expected.json").read_text()):
        for drawn, shipped in zip(pages_of(written / name), pages_of(SHIPPED / name), strict=True):
            assert share_of_other_pixels(drawn, shipped) < 0.0001, f"{name}: run make samples"


def test_the_list_names_every_document_with_its_pages() -> None:
    expected = json.loads((SHIPPED / "expected.json").read_text())
    assert set(expected) == {path.name for path in SHIPPED.iterdir()} - {"expected.json"}
    counted = {name: len(pages_of(SHIPPED / name)) for name in expected}
    assert counted == {name: of["pages"] for name, of in expected.items()}
    assert sorted(of["signatures"] for of in expected.values()) == [0, 1, 2, 2, 2]


def test_the_letter_is_a_bilevel_fax_grade_tiff_and_all_stay_small() -> None:
    letter = Image.open(SHIPPED / "letter-1984.tif")
    assert (letter.mode, letter.info["compression"]) == ("1", "group4")
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 600_000
