"""Models loaded in this worker, each behind its own batcher."""

import threading
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import structlog

from services.detector import metrics
from services.detector.batcher import Batcher
from services.detector.model_cache import ModelCache
from services.detector.settings import WorkerSettings
from services.detector.yolo.backends.choice import choose_backend
from services.detector.yolo.detector import Detector, PreparedPage
from services.detector.yolo.orientation import load_orientation
from shared.domain.detection import Page
from shared.domain.model_version import ModelVersion
from shared.pages.renderer import RenderedPage
from shared.settings import ModelSettings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model version ready to examine pages. ``device``: the runtime and what it computes on."""

    version: ModelVersion
    device: str
    _detector: Detector
    _batcher: Batcher[PreparedPage, Page]

    def submit(self, page: RenderedPage) -> Future[Page]:
        """Examine a page together with whatever other jobs' pages are at hand."""
        return self._batcher.submit(self._detector.prepare(page))

    def close(self) -> None:
        """Finish what was submitted and take no more."""
        self._batcher.close()


class Models:
    """Loads each model once, on first use. Thread-safe."""

    def __init__(self, settings: ModelSettings, worker: WorkerSettings) -> None:
        self._cache = ModelCache(settings.directory)
        self._directory = settings.directory
        self._worker = worker
        self._loaded: dict[str, LoadedModel] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for model in self._loaded.values():
            model.close()

    def get(self, name: str) -> LoadedModel:
        """The model of that name. Raises ParapheError (unknown_model) naming those there are."""
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = self._load(name)
            return self._loaded[name]

    def loaded(self) -> list[LoadedModel]:
        """Those in memory now, the first loaded first."""
        return list(self._loaded.values())

    def _load(self, name: str) -> LoadedModel:
        version = self._cache.load(name)
        backend = choose_backend(version, self._worker.backend, self._worker.precision)
        # Boxes below the review threshold change no verdict; nobody is shown them.
        detector = Detector(backend, version, version.thresholds.review, load_orientation(self._directory))
        detector.warm_up()
        batcher = Batcher(
            run=detector.detect,
            key=lambda page: page.shapes,
            max_batch=self._worker.max_batch or backend.preferred_batch,
            max_wait_s=self._worker.max_wait_ms / 1000,
            observe=_observe,
            self_test=detector.warm_up,  # blank pages: when these fail too, no document is to blame
        )
        metrics.MODEL.labels(version.name, version.version, backend.name).set(1)
        metrics.CONFIDENCE.labels(version.name, version.version)  # there from the start, with nothing observed
        log.info("model loaded", model=version.name, version=version.version, backend=backend.name)
        return LoadedModel(version, f"{backend.name} ({backend.device})", detector, batcher)


def _observe(pages: int, seconds: float) -> None:
    metrics.BATCH_PAGES.observe(pages)
    metrics.FORWARD_SECONDS.observe(seconds)
