"""Pages that lie askew: by how much is told from their print, and what is found on them lies where its ink is."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.detector.model_cache import ModelCache
from services.detector.yolo.backends.choice import choose_backend
from services.detector.yolo.detector import Detector
from services.detector.yolo.skew import skew
from services.detector.yolo.straightening import laid_back, straightened
from shared.domain.detection import Box, Detection, Kind, Page, Tone
from shared.domain.fit import Fit
from shared.pages.limits import RenderLimits
from shared.pages.renderer import RenderedPage, Renderer
from shared.settings import PROJECT_ROOT

SAMPLES = PROJECT_ROOT / "samples" / "documents"
MODELS = PROJECT_ROOT / "models"


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer(1) as running:
        yield running


@pytest.fixture(scope="module")
def sample(renderer: Renderer) -> RenderedPage:
    return next(renderer.pages(SAMPLES / "contrat-fr.jpg", Fit(1024, 1024), RenderLimits()))


def laid_askew(page: RenderedPage, degrees: float) -> RenderedPage:
    """The page turned to the right on a table, as large as it was: what lay at its corners is gone."""
    raster = Image.fromarray(np.ascontiguousarray(page.raster))
    turned = raster.rotate(-degrees, Image.Resampling.BICUBIC, fillcolor=(150, 140, 130))
    return RenderedPage(page.number, page.width, page.height, np.asarray(turned), Tone.COLOUR)


@pytest.mark.parametrize("degrees", [-14.0, -8.0, -4.0, 4.0, 8.0, 14.0])
def test_print_tells_by_how_much_a_page_lies_askew(sample: RenderedPage, degrees: float) -> None:
    assert skew(laid_askew(sample, degrees).raster) == pytest.approx(degrees, abs=0.5)


@pytest.mark.parametrize("degrees", [-2.0, 0.0, 2.0])
def test_a_page_that_is_nearly_straight_counts_as_straight(sample: RenderedPage, degrees: float) -> None:
    assert skew(laid_askew(sample, degrees).raster) == 0


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*-*")), ids=lambda path: path.name)
def test_no_sample_lies_askew(renderer: Renderer, path: Path) -> None:
    assert not any(skew(page.raster) for page in renderer.pages(path, Fit(640, 640), RenderLimits()))


def test_without_print_nothing_is_told() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (400, 300, 3)).astype(np.uint8)
    grey = np.broadcast_to(np.full((400, 300), 200, dtype=np.uint8)[:, :, None], (400, 300, 3))
    assert skew(noise) == 0
    assert skew(grey) == 0
    assert skew(np.zeros((1, 1, 3), dtype=np.uint8)) == 0
    assert skew(np.zeros((1, 5000, 3), dtype=np.uint8)) == 0


def test_a_grey_page_tells_as_much_as_one_in_colour(sample: RenderedPage) -> None:
    one = np.asarray(Image.fromarray(laid_askew(sample, 6).raster).convert("L"))
    assert skew(np.broadcast_to(one[:, :, None], (*one.shape, 3))) == pytest.approx(6, abs=0.5)


@pytest.mark.parametrize("degrees", [-12.0, -5.0, 5.0, 12.0])
def test_what_was_found_straightened_is_laid_back_where_its_ink_is(degrees: float) -> None:
    raster = np.full((1000, 700, 3), 255, dtype=np.uint8)
    rows, columns = np.ogrid[:1000, :700]
    raster[((columns - 480) / 90) ** 2 + ((rows - 800) / 30) ** 2 <= 1] = 0
    page = laid_askew(RenderedPage(1, 1400, 2000, raster, Tone.GREY), degrees)
    straight = straightened(page, degrees)
    assert straight.width / straight.raster.shape[1] == pytest.approx(2, abs=0.01)
    found = Page(1, straight.width, straight.height, (Detection("p1-1", Kind.SIGNATURE, 0.9, ink_of(straight)),))
    back = laid_back(found, degrees, Page(1, page.width, page.height, tone=Tone.COLOUR))
    assert (back.width, back.height, back.tone) == (1400, 2000, Tone.COLOUR)
    for side in ("x", "y", "width", "height"):
        assert getattr(back.detections[0].box, side) == pytest.approx(getattr(ink_of(page), side), abs=8)


def ink_of(page: RenderedPage) -> Box:
    """In page pixels; the table around is not as black as the ink."""
    rows, columns = np.nonzero(page.raster.max(axis=2) < 90)
    scale = page.width / page.raster.shape[1]
    left, top = int(columns.min()), int(rows.min())
    sides = (left, top, int(columns.max()) - left + 1, int(rows.max()) - top + 1)
    return Box(*(side * scale for side in sides))


def test_edges_are_mostly_those_found_as_the_page_lay_the_more_the_surer() -> None:
    def page(*boxes: Box, confidence: float) -> Page:
        found = (Detection(f"p1-{n}", Kind.SIGNATURE, confidence, box) for n, box in enumerate(boxes))
        return Page(1, 100, 100, tuple(found))

    def bottom(confidence: float) -> float:
        lying = page(Box(40, 40, 20, 13), Box(80, 80, 10, 10), confidence=confidence)
        there, alone = (one.box for one in laid_back(found, 0.0, lying).detections)
        assert there.corners[:3] == pytest.approx((40, 40, 60))
        assert alone == Box(5, 5, 10, 10)
        return there.corners[3]

    found = page(Box(40, 40, 20, 10), Box(5, 5, 10, 10), Box(-30, 0, 20, 10), confidence=0.8)
    assert bottom(0.8) == pytest.approx(52)
    assert bottom(0.4) == pytest.approx(51.5)


@pytest.mark.parametrize("degrees", [-12.0, 7.0, 12.0])
def test_a_sample_laid_askew_is_found_as_signed_as_a_straight_one(sample: RenderedPage, degrees: float) -> None:
    model = ModelCache(MODELS).load("signatures-fast")
    detector = Detector(choose_backend(model, "openvino", threads=1), model, model.thresholds.accept)
    straight, askew = detector.detect_all([sample, laid_askew(sample, degrees)])
    signatures = [one for one in straight.detections if one.kind is Kind.SIGNATURE]
    found = [one for one in askew.detections if one.kind is Kind.SIGNATURE]
    assert len(found) == len(signatures) == 2
    assert min(one.confidence for one in found) > 0.8


@pytest.mark.parametrize("degrees", [-15.0, -13.0, 13.0, 15.0])
def test_an_unsigned_contract_laid_askew_stays_unsigned(renderer: Renderer, degrees: float) -> None:
    page = next(renderer.pages(SAMPLES / "contrat-non-signe.jpg", Fit(1024, 1024), RenderLimits()))
    model = ModelCache(MODELS).load("signatures-fast")
    detector = Detector(choose_backend(model, "openvino", threads=1), model, model.thresholds.accept)
    (seen,) = detector.detect_all([laid_askew(page, degrees)])
    assert [one for one in seen.detections if one.kind is Kind.SIGNATURE] == []
