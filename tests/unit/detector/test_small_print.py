"""Pages in small print are looked at larger, so that two papers on one scan are read as each by itself."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from services.detector.model_cache import ModelCache
from services.detector.yolo.backends.choice import choose_backend
from services.detector.yolo.detector import Detector
from shared.domain.detection import Page
from shared.domain.model_version import ModelVersion
from shared.pages.limits import RenderLimits
from shared.pages.renderer import RenderedPage, Renderer
from shared.settings import PROJECT_ROOT

CONTRACT = PROJECT_ROOT / "samples" / "documents" / "contrat-fr.jpg"


@pytest.fixture(scope="module")
def model() -> ModelVersion:
    return ModelCache(PROJECT_ROOT / "models").load("signatures")


@pytest.fixture(scope="module")
def detector(model: ModelVersion) -> Detector:
    return Detector(choose_backend(model, "openvino", threads=1), model, model.thresholds.accept)


@pytest.fixture(scope="module")
def contract() -> Image.Image:
    return Image.open(CONTRACT).convert("RGB")


@pytest.fixture(params=[True, False], ids=["side by side", "one above the other"])
def sheet(request: pytest.FixtureRequest, contract: Image.Image, tmp_path: Path) -> Path:
    """A scan of the sample contract, twice."""
    beside = contract.width * request.param
    below = contract.height * (not request.param)
    both = Image.new("RGB", (contract.width + beside, contract.height + below))
    both.paste(contract, (0, 0))
    both.paste(contract, (beside, below))
    return saved(both, tmp_path / "sheet.png")


def saved(image: Image.Image, path: Path) -> Path:
    image.save(path)
    return path


def rendered(model: ModelVersion, path: Path) -> RenderedPage:
    with Renderer(1) as renderer:
        (page,) = renderer.pages(path, model.raster, RenderLimits())
    return page


def largest_look(detector: Detector, model: ModelVersion, path: Path) -> tuple[int, int]:
    """Width and height in pixels of what the network is shown first."""
    placement = detector.prepare(rendered(model, path)).views[0].placement
    return placement.raster_width, placement.raster_height


def found(detector: Detector, model: ModelVersion, path: Path) -> Page:
    (page,) = detector.detect_all([rendered(model, path)])
    return page


def test_two_contracts_on_one_scan_are_read_as_each_by_itself(
    detector: Detector, model: ModelVersion, contract: Image.Image, sheet: Path
) -> None:
    alone, both = found(detector, model, CONTRACT), found(detector, model, sheet)
    assert len(alone.detections) >= 2
    first = [one for one in both.detections if is_on(contract, one.box.center)]
    assert len(first) == len(alone.detections) == len(both.detections) - len(first)


def is_on(contract: Image.Image, place: tuple[float, float]) -> bool:
    """Whether a place on a sheet is on its first contract."""
    return place[0] < contract.width and place[1] < contract.height


def test_a_page_in_small_print_is_looked_at_larger(detector: Detector, model: ModelVersion, sheet: Path) -> None:
    assert max(largest_look(detector, model, sheet)) == model.small_print > model.input_sizes[0]


def test_a_version_that_does_not_ask_for_it_looks_at_small_print_as_at_any_other(
    detector: Detector, model: ModelVersion, sheet: Path
) -> None:
    assert max(largest_look(detector, replace(model, small_print=0), sheet)) == model.input_sizes[0]


def test_a_picture_of_large_print_is_looked_at_as_ever(
    detector: Detector, model: ModelVersion, contract: Image.Image, tmp_path: Path
) -> None:
    half = contract.width // 2
    close = contract.crop((0, contract.height - half, contract.width * 3 // 4, contract.height - half // 4))
    for turned in (close, close.resize(close.size[::-1])):
        assert max(largest_look(detector, model, saved(turned, tmp_path / "close.png"))) == model.input_sizes[0]


def test_a_page_in_print_of_the_usual_size_is_looked_at_as_ever(detector: Detector, model: ModelVersion) -> None:
    assert max(largest_look(detector, model, CONTRACT)) == model.input_sizes[0]
