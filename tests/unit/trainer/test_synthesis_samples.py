"""The sample documents: what the script writes is what the shipped folder holds and its list says."""

import json
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image

from samples.make_samples import HERE, write_samples

SHIPPED = HERE / "documents"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    write_samples(folder)
    return folder


def pages_of(path: Path) -> int:
    if path.suffix == ".pdf":
        return len(pypdfium2.PdfDocument(path))
    return int(getattr(Image.open(path), "n_frames", 1))


def test_the_script_writes_the_shipped_documents(written: Path) -> None:
    assert (written / "expected.json").read_text() == (SHIPPED / "expected.json").read_text()
    for path in written.iterdir():
        assert path.stat().st_size == pytest.approx((SHIPPED / path.name).stat().st_size, rel=0.05)


def test_the_list_names_every_document_with_its_pages() -> None:
    expected = json.loads((SHIPPED / "expected.json").read_text())
    assert set(expected) == {path.name for path in SHIPPED.iterdir()} - {"expected.json"}
    assert {name: pages_of(SHIPPED / name) for name in expected} == {name: of["pages"] for name, of in expected.items()}
    assert sorted(of["signatures"] for of in expected.values()) == [0, 1, 2, 2, 2]


def test_the_letter_is_a_bilevel_fax_grade_tiff_and_all_stay_small() -> None:
    letter = Image.open(SHIPPED / "letter-1984.tif")
    assert (letter.mode, letter.info["compression"]) == ("1", "group4")
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 600_000
