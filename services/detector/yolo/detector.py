"""Pages in, pages with detections out: the same code for production and for evaluation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from services.detector.yolo.arrays import Floats
from services.detector.yolo.backends.backend import Backend
from services.detector.yolo.examiner import Examiner
from services.detector.yolo.orientation import Orientation, middle
from services.detector.yolo.preprocess import Bucket, View
from services.detector.yolo.skew import skew
from services.detector.yolo.straightening import laid_back, straightened
from services.detector.yolo.turning import surer, turned, turned_back
from shared.domain.detection import Page
from shared.domain.model_version import ModelVersion
from shared.pages.renderer import RenderedPage


@dataclass(frozen=True, slots=True, eq=False)
class PreparedPage:
    """One page ready for the network, once for each look at it; its ``middle`` tells which way up it lies.

    ``skew``: degrees by which it has to be turned to the left to lie straight, 0 where it does.
    """

    rendered: RenderedPage
    views: tuple[View, ...]
    middle: Floats | None
    skew: float

    @property
    def shapes(self) -> tuple[Bucket, ...]:
        """Pages whose views have the same shapes can share a forward."""
        return tuple(view.bucket for view in self.views)


class Detector:
    """Finds what its model knows on page rasters, however they lie. See Examiner.

    Pages that lie askew are looked at straightened as well; with ``orientation`` those that seem to lie sideways or
    upside down the other way round as well.
    """

    def __init__(
        self, backend: Backend, model: ModelVersion, min_confidence: float, orientation: Orientation | None = None
    ) -> None:
        self._examiner = Examiner(backend, model, min_confidence)
        self._orientation = orientation

    def warm_up(self) -> None:
        """Run the common input shapes once, so that the first page does not wait for a runtime to compile them."""
        for count in (1, 2):
            self._examiner.warm_up(count)
            if self._orientation:
                self._orientation.turns([middle(np.zeros((1, 1, 3), dtype=np.uint8))] * count)

    def prepare(self, page: RenderedPage) -> PreparedPage:
        """Make a page ready; thread-safe and free of the model, so callers do it on their own threads."""
        way_up = middle(page.raster) if self._orientation else None
        return PreparedPage(page, self._examiner.views(page), way_up, skew(page.raster))

    def detect(self, prepared: Sequence[PreparedPage]) -> list[Page]:
        """Examine pages whose views have the same shapes, one forward a look. One thread at a time."""
        lying = self._examiner.examine([page.rendered for page in prepared], [page.views for page in prepared])
        pages = [self._straightened(page.rendered, page.skew, seen) for page, seen in zip(prepared, lying, strict=True)]
        for index, quarters in self._turned(prepared):
            there = turned(prepared[index].rendered, quarters)
            found = self._straightened(there, skew(there.raster), self._examined(there))
            pages[index] = surer(pages[index], turned_back(found, quarters))
        return pages

    def _turned(self, prepared: Sequence[PreparedPage]) -> Iterator[tuple[int, int]]:
        """Which of the pages seem to be turned, and by how many quarters they have to be turned to the left."""
        middles = [page.middle for page in prepared if page.middle is not None]
        if self._orientation and middles:
            yield from ((index, turns) for index, turns in enumerate(self._orientation.turns(middles)) if turns)

    def _straightened(self, page: RenderedPage, degrees: float, lying: Page) -> Page:
        """What is found on the page made straight, laid back; what was found as it lies, where that is straight."""
        if not degrees:
            return lying
        return laid_back(self._examined(straightened(page, degrees)), degrees, lying)

    def _examined(self, page: RenderedPage) -> Page:
        (found,) = self._examiner.examine([page], [self._examiner.views(page)])
        return found

    def detect_all(self, pages: Sequence[RenderedPage]) -> list[Page]:
        """Examine any pages, in order, without a batcher: for evaluation and scripts."""
        prepared = [self.prepare(page) for page in pages]
        runs = [list(run) for _, run in groupby(prepared, key=lambda page: page.shapes)]
        return [page for run in runs for page in self.detect(run)]
