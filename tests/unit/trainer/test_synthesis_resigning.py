"""Real pages signed anew: old ink goes, new ink is boxed, print stays, and only signatures are vouched for."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.trainer.dataset import read_pages
from services.trainer.packing import Packing, pack
from services.trainer.partial_labels import FULLY_LABELLED
from services.trainer.synthesis.__main__ import main
from services.trainer.synthesis.erasing import erased
from services.trainer.synthesis.page import Box
from services.trainer.synthesis.resigning import SignedAnew, pages_to_sign
from shared.domain.labels import SIGNATURES_ONLY
from tests.unit.trainer.signed_letters import SIGNED_AT, scan, write_letters


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_letters(tmp_path / "data")


def dark_share(page: np.ndarray, box: Box, level: int = 128) -> float:
    x0, y0, x1, y1 = (round(side) for side in box)
    return float((page[y0:y1, x0:x1].min(axis=-1) < level).mean())


@pytest.mark.parametrize("bilevel", [True, False])
def test_a_signature_goes_and_the_print_around_stays(bilevel: bool) -> None:
    page = scan()
    before = dark_share(page, SIGNED_AT)
    place = erased(page, SIGNED_AT, bilevel)
    assert place is not None
    assert before > 0.02
    assert dark_share(page, SIGNED_AT) < 0.1 * before
    assert (page[:650] == scan()[:650]).all()
    assert place.colour[2] > place.colour[0] + 50, "the pen was blue"


def test_a_signature_mixed_with_print_is_left_as_it_is() -> None:
    page = scan(signed=False)
    print_ = (90.0, 100.0, 600.0, 180.0)
    assert erased(page, print_, bilevel=False) is None
    assert (page == scan(signed=False)).all()


def test_every_box_holds_ink_and_every_page_keeps_its_print(data: Path) -> None:
    series = SignedAnew(3, pages_to_sign(data, held_out=0.0))
    pages = [series.make(number) for number in range(20)]
    assert all(page.only_signatures for page in pages)
    as_they_were = [page for page in pages if page.scanner == "as_it_was"]
    assert 5 <= len(as_they_were) <= 15, "the others went through another scanner"
    assert {0, 1} <= {len(page.signatures) for page in pages}, "some places stay empty, at others somebody signs"
    for page in as_they_were:
        assert page.pixels.shape[:2] == (1100, 850)
        pixels = page.pixels if page.pixels.ndim == 3 else page.pixels[..., None]
        assert dark_share(pixels, (90, 100, 650, 640)) > 0.03
        assert all(dark_share(pixels, box, level=215) > 0.005 for box in page.signatures), "a dry pen is pale"
        if page.pixels.ndim == 2:
            assert set(np.unique(page.pixels)) <= {0, 255}


def test_the_same_number_gives_the_same_page(data: Path) -> None:
    pages = pages_to_sign(data, held_out=0.0)
    first, again = (SignedAnew(3, pages).make(5) for _ in range(2))
    assert (first.pixels == again.pixels).all()
    assert first.boxes == again.boxes


def test_held_out_pages_are_not_signed(data: Path) -> None:
    assert pages_to_sign(data, held_out=1.0) == ()


def test_the_command_tags_them_so_that_training_counts_signatures_only(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "anew"
    main(["--pages", "3", "--out", str(out), "--crops", str(data), "--held-out", "0", "--resign", "--processes", "1"])
    with (out / "index.csv").open(newline="") as lines:
        assert all(SIGNATURES_ONLY in row["tags"].split(",") for row in csv.DictReader(lines))
    pack(read_pages(data), read_pages(out), Packing(tmp_path / "packed", 320, 0.0, kinds=3))
    packed = [Path(line).name for line in (tmp_path / "packed/train.txt").read_text().splitlines()]
    assert len(packed) == 6
    assert not any(name.startswith(FULLY_LABELLED) for name in packed)


def test_pages_to_sign_must_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--pages", "1", "--out", str(tmp_path / "out"), "--resign"])
    assert "--crops" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def paper_colour(picture: Path) -> np.ndarray:
    with Image.open(picture) as opened:
        return np.asarray(np.median(np.asarray(opened.convert("RGB")), axis=(0, 1)))


def test_other_papers_are_signed_with_the_signatures_of_the_crops(data: Path, tmp_path: Path) -> None:
    papers, out = tmp_path / "papers", tmp_path / "anew"
    for part in ("images", "labels"):
        (papers / part).mkdir(parents=True)
    teal = np.full((900, 700, 3), (90, 190, 180), np.uint8)
    Image.fromarray(teal).save(papers / "images/form.png")
    (papers / "labels/form.txt").write_text("")
    options = ["--out", str(out), "--crops", str(data), "--papers", str(papers), "--held-out", "0"]
    main(["--pages", "12", *options, "--resign", "--processes", "1"])
    made = read_pages(out)
    assert {len(page.boxes) for page in made} >= {0, 1}, "some are signed, some are not"
    as_it_was = [paper_colour(page.path) for page in made if "as_it_was" in page.tags]
    assert as_it_was
    assert np.abs(np.array(as_it_was) - (90, 190, 180)).max() < 6, "the paper is the one given"


def test_papers_are_not_drawn_pages(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--pages", "1", "--out", str(tmp_path), "--crops", str(data), "--papers", str(data)])
    assert "say --resign" in capsys.readouterr().err


def test_no_page_to_sign_is_said_and_no_other_is_drawn_instead(data: Path, tmp_path: Path) -> None:
    options = ["--pages", "1", "--out", str(tmp_path / "out"), "--crops", str(data), "--resign"]
    other = write_letters(tmp_path / "other")
    (other / "index.csv").write_text((other / "index.csv").read_text().replace(",train,", ",val,"))
    with pytest.raises(SystemExit, match="no page in split 'train'"):
        main([*options, "--held-out", "0", "--papers", str(other)])
    assert not (tmp_path / "out").exists()
