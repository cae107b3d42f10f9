"""What `paraphe model evaluate` can measure: our production path, or weights of others."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from services.detector.model_cache import read_model
from services.detector.settings import WorkerSettings
from services.detector.yolo.backends.choice import BackendName, choose_backend
from services.detector.yolo.detector import Detector
from services.detector.yolo.orientation import load_orientation
from shared.domain.detection import Kind, Page
from shared.domain.model_version import Calibration, ModelVersion
from shared.domain.verdict import Thresholds
from shared.pages.limits import RenderLimits
from shared.pages.renderer import Renderer
from shared.settings import ModelSettings

_OTHERS_THRESHOLDS = Thresholds(accept=0.25, review=0.1)  # what Ultralytics uses when nothing is said
_OTHERS_SIZE = 640


class Predict(Protocol):
    """The way from a file to boxes."""

    def __call__(self, path: Path) -> Sequence[Page]:
        """A document's pages with everything found on them, however unsure."""


@dataclass(frozen=True)
class Candidate:
    """A model to measure: how it is called in reports, its thresholds, its way from file to boxes."""

    name: str
    thresholds: Thresholds
    predict: Predict


@contextmanager
def open_candidate(weights: Path, backend: BackendName | None, size: int | None, floor: float) -> Iterator[Candidate]:
    """The production path for a model version (its folder, model.json or a file in it), Ultralytics for others'.

    floor is the least confidence kept; average precision needs it far below any threshold.
    """
    folder = weights if weights.is_dir() else weights.parent
    if (folder / "model.json").is_file():
        with Renderer(processes=1) as renderer:
            yield _production(read_model(folder), backend, renderer, floor)
    else:
        with TemporaryDirectory(prefix="paraphe-") as scratch:
            yield _others(weights, size or _OTHERS_SIZE, floor, Path(scratch))


@contextmanager
def uncalibrated(folder: Path, backend: BackendName | None, floor: float) -> Iterator[Candidate]:
    """A model version on the production path, its scores as the network gives them."""
    with Renderer(processes=1) as renderer:
        yield _production(replace(read_model(folder), calibration=Calibration()), backend, renderer, floor)


@contextmanager
def marks_signatures(weights: Path, floor: float) -> Iterator[Callable[[Path], bool]]:
    """Whether a model version marks a signature on a page, with at least this confidence."""
    with open_candidate(weights, None, None, floor) as candidate:
        yield lambda page: any(
            one.kind is Kind.SIGNATURE for seen in candidate.predict(page) for one in seen.detections
        )


def _production(version: ModelVersion, backend: BackendName | None, renderer: Renderer, floor: float) -> Candidate:
    worker = WorkerSettings()  # what production does when nothing else is set
    loaded = choose_backend(version, backend or worker.backend, worker.precision)
    detector = Detector(loaded, version, floor, load_orientation(ModelSettings().directory))

    def predict(path: Path) -> Sequence[Page]:
        return detector.detect_all(list(renderer.pages(path, version.raster, RenderLimits())))

    return Candidate(f"{version.name} {version.version} on {loaded.name}", version.thresholds, predict)


def _others(weights: Path, size: int, floor: float, scratch: Path) -> Candidate:
    from services.trainer import runtime
    from services.trainer.ultralytics_predict import UltralyticsPredictor

    runtime.prepare(scratch)
    predictor = UltralyticsPredictor(weights, size, floor)
    return Candidate(f"{weights.name} at {size} in Ultralytics", _OTHERS_THRESHOLDS, predictor)
