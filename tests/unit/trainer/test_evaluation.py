"""Evaluation through a predict function: what is counted, in which slices, and what the report draws."""

import json
from pathlib import Path

import pytest
from PIL import Image

from services.trainer.dataset import DatasetError, LabelledBox, LabelledPage
from services.trainer.evaluation import Examination, evaluate, examine, labelled_for, slices_of
from services.trainer.metrics import tally
from services.trainer.plots import draw_report, mistakes
from shared.domain.detection import Box, Detection, Kind, Page
from shared.domain.errors import ErrorCode, TemporaryError
from shared.domain.labels import SIGNATURES_ONLY

WIDTH, HEIGHT = 200, 300


def labelled(folder: Path, name: str, boxes: tuple[LabelledBox, ...], tags: set[str]) -> LabelledPage:
    path = folder / f"{name}.png"
    Image.new("L", (WIDTH, HEIGHT), 240).save(path)
    return LabelledPage("scans", path, boxes, group=name, tags=frozenset(tags))


def detection(kind: Kind, confidence: float, box: tuple[float, float, float, float]) -> Detection:
    return Detection("1", kind, confidence, Box(*box))


FOUND = {
    "signed": [detection(Kind.SIGNATURE, 0.9, (80, 120, 40, 60)), detection(Kind.STAMP, 0.9, (0, 0, 50, 50))],
    "stamped": [detection(Kind.SIGNATURE, 0.7, (0, 0, 50, 50))],
    "missed": [detection(Kind.SIGNATURE, 0.3, (80, 120, 40, 60))],
}


def predict(path: Path) -> list[Page]:
    return [Page(1, WIDTH, HEIGHT, tuple(FOUND[path.stem]))]


@pytest.fixture
def examined(tmp_path: Path) -> list[Examination]:
    middle = LabelledBox(0, 0.5, 0.5, 0.2, 0.2, overlapped=True)
    stamp = LabelledBox(2, 0.125, 0.0833, 0.25, 0.1667)
    pages = [
        labelled(tmp_path, "signed", (middle, stamp), {"colour"}),
        labelled(tmp_path, "stamped", (stamp,), {"colour", "stamp"}),
        labelled(tmp_path, "missed", (middle,), set()),
    ]
    return examine(pages, predict)


def test_only_the_kind_asked_for_counts(examined: list[Examination]) -> None:
    report = evaluate(examined, accept=0.5, samples=50)
    everything = report["all"]
    assert (everything["pages"], everything["boxes"]) == (3, 2)
    assert everything["precision"]["value"] == 0.5
    assert everything["recall"]["value"] == 0.5
    assert everything["recall_overlapped"]["value"] == 0.5
    assert everything["page_accuracy"]["value"] == pytest.approx(1 / 3, abs=1e-5)
    assert everything["false_per_100_unsigned"]["value"] == 100


def test_stamps_can_be_measured_too(examined: list[Examination]) -> None:
    stamps = examine([one.labelled for one in examined], predict, Kind.STAMP)
    assert evaluate(stamps, accept=0.5, samples=20)["all"]["recall"]["value"] == 0.5


def test_pages_labelled_for_signatures_say_nothing_of_stamps(tmp_path: Path) -> None:
    pages = [labelled(tmp_path, "signed", (), {SIGNATURES_ONLY}), labelled(tmp_path, "stamped", (), set())]
    assert labelled_for(Kind.SIGNATURE, pages) == pages
    assert labelled_for(Kind.STAMP, pages) == pages[1:]


def test_sizes_are_those_of_the_kind_measured(tmp_path: Path) -> None:
    boxes = LabelledBox(0, 0.5, 0.5, 0.2, 0.2), LabelledBox(2, 0.5, 0.5, 0.03, 0.03)
    pages = [labelled(tmp_path, "signed", boxes, set())]
    sizes = [
        {name for name in slices_of(examine(pages, predict, kind)) if name.startswith("size:")}
        for kind in (Kind.SIGNATURE, Kind.STAMP)
    ]
    assert sizes == [{"size:large"}, {"size:small"}]


def test_slices_go_by_source_tag_and_size(examined: list[Examination]) -> None:
    slices = evaluate(examined, accept=0.5, samples=20)["slices"]
    assert {name: part["pages"] for name, part in slices.items()} == {
        "source:scans": 3,
        "tag:colour": 2,
        "tag:stamp": 1,
        "size:large": 2,
    }
    assert slices["tag:stamp"]["recall"]["value"] is None


def test_the_report_is_json_without_nan(examined: list[Examination]) -> None:
    assert "NaN" not in json.dumps(evaluate(examined, accept=0.5, samples=20))


def test_a_lower_threshold_finds_what_was_missed(examined: list[Examination]) -> None:
    assert evaluate(examined, accept=0.25, samples=20)["all"]["recall"]["value"] == 1.0


def test_mistakes_are_listed_worst_first(examined: list[Examination]) -> None:
    found = mistakes(examined, accept=0.5)
    named = [(one.examination.labelled.path.stem, one.confidence) for one in found]
    assert named == [("stamped", 0.7), ("missed", None)]
    assert [round(one.severity, 2) for one in found] == [0.7, 0.7]


def test_plots_and_gallery_are_drawn(examined: list[Examination], tmp_path: Path) -> None:
    table = tally([one.page for one in examined], 0.5)
    draw_report(examined, table, evaluate(examined, 0.5, samples=10), tmp_path / "report")
    for name in ("pr.png", "calibration.png", "errors.png"):
        with Image.open(tmp_path / "report" / name) as image:
            assert len(image.convert("RGB").getcolors(100_000) or []) > 5


@pytest.mark.parametrize("error", [TemporaryError(ErrorCode.INTERNAL_ERROR, "gone"), FileNotFoundError("gone")])
def test_a_page_that_cannot_be_read_is_named(tmp_path: Path, error: Exception) -> None:
    def fail(_: Path) -> list[Page]:
        raise error

    with pytest.raises(DatasetError, match=r"scans/lost\.png: .*gone"):
        examine([labelled(tmp_path, "lost", (), set())], fail)


def test_a_file_of_several_pages_is_refused_by_name(tmp_path: Path) -> None:
    page = labelled(tmp_path, "two", (), set())
    with pytest.raises(DatasetError, match=r"two\.png"):
        examine([page], lambda _: [Page(1, 10, 10), Page(2, 10, 10)])
