"""Pages that lie sideways or upside down: what is found on them, and where."""

from pathlib import Path

import numpy as np
import pytest

from services.detector.model_cache import ModelCache
from services.detector.yolo.backends.choice import BackendName, choose_backend, open_onnx
from services.detector.yolo.detector import Detector
from services.detector.yolo.orientation import WEIGHTS, Orientation, load_orientation, middle
from services.detector.yolo.turning import surer, turned, turned_back
from shared.domain.detection import Box, Detection, Kind, Page, Tone
from shared.domain.fit import Fit
from shared.pages.limits import RenderLimits
from shared.pages.renderer import RenderedPage, Renderer
from shared.settings import PROJECT_ROOT

MODELS = PROJECT_ROOT / "models"
SAMPLES = PROJECT_ROOT / "samples" / "documents"
QUARTERS = [1, 2, 3]


def with_ink(box: Box, width: int = 60, height: int = 100) -> RenderedPage:
    raster = np.full((height, width, 3), 255, dtype=np.uint8)
    raster[int(box.y) : int(box.y + box.height), int(box.x) : int(box.x + box.width)] = 0
    return RenderedPage(1, width, height, raster, Tone.GREY)


def ink_of(page: RenderedPage) -> Box:
    rows, columns = np.nonzero(page.raster[:, :, 0] == 0)
    left, top = int(columns.min()), int(rows.min())
    return Box(left, top, int(columns.max()) - left + 1, int(rows.max()) - top + 1)


@pytest.mark.parametrize("quarters", QUARTERS)
def test_what_is_found_on_a_turned_page_lies_where_its_ink_is(quarters: int) -> None:
    page = with_ink(Box(5, 70, 30, 10))
    there = turned(page, quarters)
    found = Page(1, there.width, there.height, (Detection("p1-1", Kind.SIGNATURE, 0.9, ink_of(there)),), there.tone)
    back = turned_back(found, quarters)
    assert (back.width, back.height) == (page.width, page.height)
    assert back.detections[0].box == Box(5, 70, 30, 10)


def test_the_surer_of_two_is_taken_and_the_page_as_it_lies_where_none_is() -> None:
    def seen(*confidences: float) -> Page:
        found = tuple(Detection("p1-1", Kind.SIGNATURE, one, Box(0, 0, 1, 1)) for one in confidences)
        return Page(1, 10, 10, found, Tone.GREY)

    doubtful, sure, nothing = seen(0.3, 0.2), seen(0.9), seen()
    assert surer(doubtful, sure) is sure
    assert surer(sure, doubtful) is sure
    assert surer(nothing, doubtful) is doubtful
    assert surer(nothing, seen()) is nothing


@pytest.fixture(scope="module")
def orientation() -> Orientation:
    loaded = load_orientation(MODELS)
    assert loaded
    return loaded


@pytest.fixture(scope="module")
def sample() -> RenderedPage:
    with Renderer(1) as renderer:
        return next(renderer.pages(SAMPLES / "contrat-fr.jpg", Fit(1024, 1024), RenderLimits()))


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_every_runtime_tells_how_a_page_lies(
    runtime: BackendName, sample: RenderedPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.detector.yolo.backends.choice._installed", lambda name: name == runtime)
    backend = open_onnx(MODELS / WEIGHTS)
    assert backend is not None
    assert backend.name == runtime
    lying = [middle(turned(sample, quarters).raster) for quarters in range(4)]
    assert Orientation(backend).turns(lying) == [0, 3, 2, 1]


@pytest.mark.parametrize("quarters", QUARTERS)
def test_a_turned_sample_is_found_as_signed_as_an_upright_one(
    orientation: Orientation, sample: RenderedPage, quarters: int
) -> None:
    model = ModelCache(MODELS).load("signatures")
    detector = Detector(choose_backend(model, "openvino", threads=1), model, model.thresholds.accept, orientation)
    (upright,) = detector.detect_all([sample])
    (seen,) = detector.detect_all([turned(sample, quarters)])
    assert len(upright.detections) >= 2
    back = turned_back(seen, quarters)
    for one, other in zip(upright.detections, back.detections, strict=True):
        assert (one.kind, one.id) == (other.kind, other.id)
        assert other.confidence == pytest.approx(one.confidence, abs=0.02)
        for side in ("x", "y", "width", "height"):
            assert getattr(other.box, side) == pytest.approx(getattr(one.box, side), abs=3)


def test_pages_of_any_shape_can_be_asked_about(orientation: Orientation) -> None:
    shapes = [(1, 1), (1, 5000), (5000, 3), (64, 64)]
    grey = [np.broadcast_to(np.full(shape, 200, dtype=np.uint8)[:, :, None], (*shape, 3)) for shape in shapes]
    assert len(orientation.turns([middle(one) for one in grey])) == len(shapes)


def test_without_the_network_pages_are_looked_at_as_they_lie(tmp_path: Path, sample: RenderedPage) -> None:
    assert load_orientation(tmp_path) is None
    model = ModelCache(MODELS).load("signatures-fast")
    detector = Detector(choose_backend(model, "openvino", threads=1), model, model.thresholds.accept)
    (sideways,) = detector.detect_all([turned(sample, 1)])
    assert [one for one in sideways.detections if one.kind is Kind.SIGNATURE] == []
