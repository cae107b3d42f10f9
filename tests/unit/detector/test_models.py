"""A page that cannot be examined fails alone; a runtime that computes nothing any more is told apart from it."""

from collections.abc import Iterator

import numpy as np
import pytest

import services.detector.models
from services.detector.batcher import BrokenError
from services.detector.models import LoadedModel, Models
from services.detector.settings import WorkerSettings
from services.detector.yolo.arrays import Floats
from shared.domain.detection import Tone
from shared.pages.renderer import RenderedPage
from shared.settings import PROJECT_ROOT, ModelSettings

GREY, WHITE = 128, 255


class FragileBackend:
    """Finds nothing. Cannot stand white pages, and once broken no page at all, as a GPU after a fatal error."""

    name = "fragile"
    device = "none"
    preferred_batch = 4

    def __init__(self) -> None:
        self.is_broken = False

    def infer(self, batch: Floats) -> Floats:
        if self.is_broken:
            raise RuntimeError("an illegal memory access was encountered")
        if batch.max() == 1:
            raise RuntimeError("too white")
        return np.zeros((len(batch), 1, 6), np.float32)


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> FragileBackend:
    backend = FragileBackend()
    monkeypatch.setattr(services.detector.models, "choose_backend", lambda *_: backend)
    return backend


@pytest.fixture
def model(backend: FragileBackend) -> Iterator[LoadedModel]:
    with Models(ModelSettings(directory=PROJECT_ROOT / "models"), WorkerSettings(max_wait_ms=100)) as models:
        yield models.get("signatures-fast")


def page(model: LoadedModel, number: int, colour: int) -> RenderedPage:
    look = model.version.raster
    raster = np.full((look.height, look.width, 3), colour, np.uint8)
    return RenderedPage(number, look.width, look.height, raster, Tone.COLOUR)


def test_a_page_that_fails_alone_harms_no_other(model: LoadedModel) -> None:
    futures = [model.submit(page(model, number, colour)) for number, colour in enumerate((GREY, WHITE, GREY), start=1)]
    with pytest.raises(RuntimeError, match="too white"):
        futures[1].result(10)
    assert [futures[index].result(10).number for index in (0, 2)] == [1, 3]
    assert model.submit(page(model, 4, GREY)).result(10).number == 4


def test_a_runtime_that_is_broken_is_no_pages_fault(model: LoadedModel, backend: FragileBackend) -> None:
    assert model.submit(page(model, 1, GREY)).result(10).number == 1
    backend.is_broken = True
    for future in [model.submit(page(model, number, colour)) for number, colour in ((2, GREY), (3, WHITE), (4, GREY))]:
        with pytest.raises(BrokenError, match="illegal memory access"):
            future.result(10)
