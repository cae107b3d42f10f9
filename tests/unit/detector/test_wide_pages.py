"""Wide pages with small print are looked at larger, so that two papers on one scan are read as each by itself."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from services.detector.model_cache import ModelCache
from services.detector.yolo.arrays import Bytes
from services.detector.yolo.backends.choice import choose_backend
from services.detector.yolo.detector import Detector
from services.detector.yolo.print_size import has_small_print
from shared.domain.detection import Page
from shared.domain.fit import Fit
from shared.domain.model_version import ModelVersion
from shared.pages.limits import RenderLimits
from shared.pages.renderer import RenderedPage, Renderer
from shared.settings import PROJECT_ROOT

CONTRACT = PROJECT_ROOT / "samples" / "documents" / "contrat-fr.jpg"
LOOK = Fit(1440, 1024)


@pytest.fixture(scope="module")
def model() -> ModelVersion:
    return ModelCache(PROJECT_ROOT / "models").load("signatures")


@pytest.fixture(scope="module")
def detector(model: ModelVersion) -> Detector:
    return Detector(choose_backend(model, "openvino", threads=1), model, model.thresholds.accept)


@pytest.fixture(scope="module")
def contract() -> Image.Image:
    return Image.open(CONTRACT).convert("RGB")


@pytest.fixture
def sheet(contract: Image.Image, tmp_path: Path) -> Path:
    """A scan of the sample contract, twice, side by side."""
    both = Image.new("RGB", (2 * contract.width, contract.height))
    both.paste(contract, (0, 0))
    both.paste(contract, (contract.width, 0))
    return saved(both, tmp_path / "sheet.png")


def saved(image: Image.Image, path: Path) -> Path:
    image.save(path)
    return path


def rendered(model: ModelVersion, path: Path) -> RenderedPage:
    with Renderer(1) as renderer:
        (page,) = renderer.pages(path, model.looks[0], RenderLimits())
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
    for half in (0, contract.width):
        there = [one for one in both.detections if half <= one.box.center[0] < half + contract.width]
        assert len(there) == len(alone.detections)


def test_a_wide_page_with_small_print_is_looked_at_as_high_as_an_upright_one(
    detector: Detector, model: ModelVersion, sheet: Path
) -> None:
    width, height = largest_look(detector, model, sheet)
    assert width == model.widest > model.input_sizes[0]
    assert height <= model.input_sizes[0]


def test_a_wide_picture_of_large_print_is_looked_at_as_before(
    detector: Detector, model: ModelVersion, contract: Image.Image, tmp_path: Path
) -> None:
    half = contract.width // 2
    close = contract.crop((0, contract.height - half, contract.width * 3 // 4, contract.height - half // 4))
    assert close.width > close.height
    assert largest_look(detector, model, saved(close, tmp_path / "close.png"))[0] == model.input_sizes[0]


def test_an_upright_page_is_looked_at_as_before(detector: Detector, model: ModelVersion) -> None:
    assert largest_look(detector, model, CONTRACT)[1] == model.input_sizes[0]


def printed(size: int) -> Bytes:
    """A wide page in letters of that size in pixels."""
    page = Image.new("RGB", (1440, 1018), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(size)
    for top in range(40, 960, round(size * 1.6)):
        draw.text((60, top), "Le présent contrat est conclu pour une durée de douze mois. " * 6, "black", font)
    return np.asarray(page)


def test_print_is_small_or_large_whatever_the_pixels_it_was_scanned_with() -> None:
    assert has_small_print(printed(14), LOOK)
    assert not has_small_print(printed(30), LOOK)
    half = np.asarray(Image.fromarray(printed(30)).resize((720, 509), Image.Resampling.HAMMING))
    assert not has_small_print(half, LOOK)


def test_where_there_is_no_print_it_is_not_small() -> None:
    assert not has_small_print(np.full((1018, 1440, 3), 255, dtype=np.uint8), LOOK)
    assert not has_small_print(np.zeros((1018, 1440, 3), dtype=np.uint8), LOOK)
    assert not has_small_print(np.zeros((1, 1440, 3), dtype=np.uint8), LOOK)
