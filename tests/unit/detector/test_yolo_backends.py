"""The shipped model on the sample documents: every runtime must see the same."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from services.detector.model_cache import ModelCache
from services.detector.yolo.backends.backend import Backend, Precision
from services.detector.yolo.backends.choice import BackendName, choose_backend
from services.detector.yolo.detector import Detector
from services.detector.yolo.nearer import part_size
from shared.domain.detection import Detection, Kind, Page
from shared.domain.errors import ParapheError
from shared.domain.model_version import ModelVersion
from shared.pages.limits import RenderLimits
from shared.pages.renderer import RenderedPage, Renderer
from shared.settings import PROJECT_ROOT

SAMPLES = PROJECT_ROOT / "samples" / "documents"
EXPECTED: dict[str, dict[str, int]] = json.loads((SAMPLES / "expected.json").read_text())
THREADS = 1  # threads that share a page wait for each other on a busy machine
NAMES: tuple[BackendName, ...] = ("openvino", "onnxruntime", "pytorch")
PRECISIONS: tuple[Precision, ...] = ("f32", "auto")
LEAST = 0.05
COMPARED = 0.10


@pytest.fixture(scope="module")
def model() -> ModelVersion:
    return ModelCache(PROJECT_ROOT / "models").load("signatures")


@pytest.fixture(scope="module")
def pages(model: ModelVersion) -> dict[str, list[RenderedPage]]:
    with Renderer(1) as renderer:
        return {
            path.name: list(renderer.pages(path, model.raster, RenderLimits()))
            for path in (SAMPLES / name for name in EXPECTED)
        }


@pytest.fixture(scope="module", params=NAMES)
def backend(request: pytest.FixtureRequest, model: ModelVersion) -> Backend:
    return choose_backend(model, request.param, threads=THREADS)


def detector_on(backend: Backend, model: ModelVersion) -> Detector:
    return Detector(backend, model, LEAST)


@pytest.fixture(scope="module")
def seen(model: ModelVersion, pages: dict[str, list[RenderedPage]]) -> dict[str, list[Page]]:
    """What OpenVINO finds, page by page."""
    detector = detector_on(choose_backend(model, "openvino", threads=THREADS), model)
    return {name: [detector.detect([detector.prepare(page)])[0] for page in some] for name, some in pages.items()}


def counterpart(one: Detection, others: tuple[Detection, ...]) -> Detection:
    """The detection nearest to this one."""
    assert others, f"nothing found where {one} was"
    return min(others, key=lambda other: abs(other.box.x - one.box.x) + abs(other.box.y - one.box.y))


def assert_same(first: Page, second: Page) -> None:
    for one in first.detections:
        if one.confidence >= COMPARED:
            other = counterpart(one, second.detections)
            assert other.confidence == pytest.approx(one.confidence, abs=0.01)
            for side in ("x", "y", "width", "height"):
                assert getattr(other.box, side) == pytest.approx(getattr(one.box, side), abs=1)


def test_every_runtime_sees_the_same(
    backend: Backend, model: ModelVersion, pages: dict[str, list[RenderedPage]], seen: dict[str, list[Page]]
) -> None:
    detector = detector_on(backend, model)
    for name, some in pages.items():
        for mine, reference in zip(detector.detect_all(some), seen[name], strict=True):
            assert_same(mine, reference)
            assert_same(reference, mine)


def test_pages_of_a_batch_do_not_disturb_each_other(
    backend: Backend, model: ModelVersion, pages: dict[str, list[RenderedPage]]
) -> None:
    detector = detector_on(backend, model)
    prepared = [detector.prepare(page) for page in pages["bail-4-pages.pdf"]]
    together = detector.detect(prepared)
    for page, alone in zip(together, [detector.detect([one])[0] for one in prepared], strict=True):
        assert_same(page, alone)
        assert_same(alone, page)


def test_each_sample_has_as_many_signatures_as_are_found(seen: dict[str, list[Page]], model: ModelVersion) -> None:
    def surely_signatures(pages: list[Page]) -> int:
        found = (one for page in pages for one in page.detections if one.kind is Kind.SIGNATURE)
        return sum(one.confidence >= model.thresholds.accept for one in found)

    assert {name: surely_signatures(pages) for name, pages in seen.items()} == {
        name: entry["signatures"] for name, entry in EXPECTED.items()
    }


def test_detections_are_ordered_named_and_on_the_page(seen: dict[str, list[Page]]) -> None:
    for page in [page for some in seen.values() for page in some]:
        assert [one.id for one in page.detections] == [f"p{page.number}-{n + 1}" for n in range(len(page.detections))]
        assert all(first.confidence >= second.confidence for first, second in pairwise(page.detections))
        for one in page.detections:
            assert one.box.x >= 0
            assert one.box.y >= 0
            assert one.box.x + one.box.width <= page.width + 0.01
            assert one.box.y + one.box.height <= page.height + 0.01


def test_the_automatic_choice_needs_no_torch_on_a_machine_without_cuda(model: ModelVersion) -> None:
    only_onnx = replace(model, files={"onnx": model.files["onnx"]})
    assert choose_backend(only_onnx).name == "openvino"


def test_parts_seen_from_near_go_to_the_network_made_for_them(model: ModelVersion) -> None:
    assert model.has_near_network
    side = part_size(model.input_sizes[0])
    noise = np.random.default_rng(7).random((1, 3, side, side), np.float32)
    made_for_them = replace(model, files={"onnx": model.files["onnx"][-1:]})
    told, expected = (
        choose_backend(one, "onnxruntime", threads=THREADS).infer(noise) for one in (model, made_for_them)
    )
    assert np.array_equal(told, expected)


def test_weights_that_are_missing_are_named(model: ModelVersion) -> None:
    empty = replace(model, version="7", files={})
    with pytest.raises(ParapheError, match="7 has no onnx weights"):
        choose_backend(empty, "onnxruntime")
    with pytest.raises(ParapheError, match="pip install"):
        choose_backend(empty)


def test_a_runtime_that_is_missing_is_named(model: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ParapheError, match=r"pip install 'paraphe\[torch\]'"):
        choose_backend(model, "pytorch")


def test_models_may_know_kinds_we_do_not(model: ModelVersion, pages: dict[str, list[RenderedPage]]) -> None:
    stranger = detector_on(choose_backend(model, "onnxruntime", threads=THREADS), replace(model, classes=("logo",)))
    assert all(page.detections == () for page in stranger.detect_all(pages["contract-en.png"]))


@pytest.mark.parametrize(
    ("instructions", "same"), [({"avx2": True}, True), ({"avx512_bf16": True}, False), ({"bf16": True}, False)]
)
def test_pytorch_computes_in_bf16_only_where_the_cpu_does(
    monkeypatch: pytest.MonkeyPatch, model: ModelVersion, instructions: dict[str, bool], same: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: instructions)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    noise = np.random.default_rng(7).random((1, 3, model.input_sizes[-1], 64), np.float32)
    exact, quick = (choose_backend(model, "pytorch", precision, THREADS).infer(noise) for precision in PRECISIONS)
    assert np.array_equal(exact, quick) is same
