"""One document examined: fetched, rendered, inferred, judged. Touches no database."""

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from tempfile import TemporaryDirectory

from services.detector.models import LoadedModel, Models
from shared.documents import fetch_document
from shared.domain.detection import Page
from shared.domain.job import Job, JobResult, Timings
from shared.domain.verdict import decide
from shared.objects import ObjectStore
from shared.pages.limits import RenderLimits
from shared.pages.renderer import Renderer

# Pages of one document between renderer and model at once: enough to keep both busy, little memory for 300 pages.
_PAGES_IN_FLIGHT = 8


class Stopwatch:
    """Adds up seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {"fetched": 0.0, "rendered": 0.0, "inferred": 0.0}
        self._since = time.perf_counter()

    def lap(self, stage: str) -> None:
        """Charge the time since the last lap to ``stage``."""
        now = time.perf_counter()
        self.seconds[stage] += now - self._since
        self._since = now


class Examiner:
    """Carries out jobs. Thread-safe: many threads examine at once and share renderers and models."""

    def __init__(self, objects: ObjectStore, renderer: Renderer, models: Models, limits: RenderLimits) -> None:
        self._objects = objects
        self._renderer = renderer
        self._models = models
        self._limits = limits

    def examine(self, job: Job, check: Callable[[], None]) -> JobResult:
        """The job's result. ``check`` is called between steps and raises when the work is no longer wanted.

        Raises DocumentError for a bad document and TemporaryError for a fault of ours or of the network.
        """
        watch = Stopwatch()
        model = self._models.get(job.model)
        with TemporaryDirectory(prefix="paraphe-") as folder:
            path = Path(folder) / "document"
            fetch_document(self._objects, job.document, path)
            watch.lap("fetched")
            check()
            pages = self._pages(path, model, watch, check)
        decision = decide(pages, job.options.requirements, model.version.thresholds)
        return JobResult(decision, pages, model.version.name, model.version.version, _timings(job, watch))

    def _pages(self, path: Path, model: LoadedModel, watch: Stopwatch, check: Callable[[], None]) -> tuple[Page, ...]:
        waiting: deque[Future[Page]] = deque()
        pages: list[Page] = []
        for rendered in self._renderer.pages(path, model.version.raster, self._limits):
            watch.lap("rendered")
            waiting.append(model.submit(rendered))
            if len(waiting) >= _PAGES_IN_FLIGHT:
                pages.append(waiting.popleft().result())
            check()
            watch.lap("inferred")
        watch.lap("rendered")
        pages.extend(one.result() for one in waiting)
        watch.lap("inferred")
        return tuple(pages)


def _timings(job: Job, watch: Stopwatch) -> Timings:
    started = job.started_at or job.created_at
    return Timings(
        queued=(started - job.created_at).total_seconds() * 1000,
        fetched=watch.seconds["fetched"] * 1000,
        rendered=watch.seconds["rendered"] * 1000,
        inferred=watch.seconds["inferred"] * 1000,
        recorded=0.0,
    )
