"""`paraphe data unsigned`: documents that nobody signed become pages to learn from, or to be signed by synthesis."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from paraphe.cli.data import data_app
from services.trainer.dataset import read_pages
from services.trainer.dataset_check import check
from shared.domain.labels import SIGNATURES_ONLY
from tests.unit.trainer.signed_letters import scan

FAST = max((Path(__file__).parents[3] / "models/signatures-fast").glob("*/model.json")).parent


def unsigned(*arguments: object) -> Result:
    return CliRunner().invoke(data_app, ["unsigned", *(str(argument) for argument in arguments)])


def numbered(number: int) -> Image.Image:
    page = scan(signed=False)
    cv2.putText(page, str(number), (400, 1000), cv2.FONT_HERSHEY_SIMPLEX, 2.0, (20, 20, 20), 4)
    return Image.fromarray(page)


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """A manual of five pages, the same once more, a picture, and a file that is no PDF."""
    folder = tmp_path / "documents"
    (folder / "copies").mkdir(parents=True)
    first, *others = (numbered(number) for number in range(1, 6))
    first.save(folder / "manual.pdf", save_all=True, append_images=others)
    (folder / "copies" / "manual.pdf").write_bytes((folder / "manual.pdf").read_bytes())
    numbered(9).rotate(180).save(folder / "copies" / "form.png")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and then nothing")
    (folder / "notes.txt").write_text("not a document")
    return folder


def test_some_pages_of_each_document_become_pages_without_a_signature(documents: Path, tmp_path: Path) -> None:
    done = unsigned(documents, "--out", tmp_path / "data", "--each", 3)
    assert done.exit_code == 0, done.output
    assert "4 pages of 2 documents" in done.stdout
    assert "left out" in done.stderr
    assert "broken.pdf" in done.stderr
    pages = read_pages(tmp_path / "data")
    assert [(page.boxes, page.expected_boxes) for page in pages] == [((), 0)] * 4
    assert all({"unsigned", SIGNATURES_ONLY} <= page.tags for page in pages)
    assert len({page.group for page in pages}) == 2, "a document's pages never part"
    assert any(page.path.stem.endswith("-p1") for page in pages)
    assert not list(check(pages))
    for page in pages:
        with Image.open(page.path) as opened:
            assert opened.width == 1060
            assert (np.asarray(opened.convert("L")) < 128).mean() > 0.01, "its print is there"


def test_the_same_documents_give_the_same_pages(documents: Path, tmp_path: Path) -> None:
    for out in ("one", "two"):
        assert unsigned(documents, "--out", tmp_path / out).exit_code == 0
    one, two = (sorted(path.name for path in (tmp_path / out / "images/unsigned").iterdir()) for out in ("one", "two"))
    assert one == two


def test_only_pages_that_a_model_takes_for_signed_are_kept_if_asked(tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    numbered(1).save(documents / "plain.png")
    Image.fromarray(scan(signed=True)).save(documents / "fooling.png")
    done = unsigned(documents, "--out", tmp_path / "data", "--marked-by", FAST)
    assert done.exit_code == 0, done.output
    (kept,) = read_pages(tmp_path / "data")
    with Image.open(kept.path) as opened:
        assert (np.asarray(opened.convert("RGB")).astype(int) @ [-1, 0, 1] > 60).any(), "the blue signature"
    assert len(list((tmp_path / "data/images/unsigned").iterdir())) == 1
    (documents / "fooling.png").unlink()
    none = unsigned(documents, "--out", tmp_path / "none", "--marked-by", FAST)
    assert none.exit_code == 1
    assert "the model marks nothing on these documents" in none.stderr
    assert not (tmp_path / "none").exists()


def test_what_cannot_be_done_is_said_and_leaves_nothing(documents: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    empty = unsigned(tmp_path / "empty", "--out", tmp_path / "data")
    assert (empty.exit_code, "no PDF and no picture" in empty.stderr) == (1, True), empty.output
    full = unsigned(documents, "--out", documents)
    assert (full.exit_code, "is not empty; name a new folder" in full.stderr) == (1, True), full.output
    file = unsigned(documents, "--out", documents / "manual.pdf")
    assert (file.exit_code, "is not empty; name a new folder" in file.stderr) == (1, True), file.output
    assert {path.name for path in tmp_path.iterdir()} == {"documents", "empty"}
