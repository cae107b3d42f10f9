"""Pages in, pages with detections out: the same code for production and for evaluation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from services.detector.yolo.arrays import Floats
from services.detector.yolo.backends.backend import Backend
from services.detector.yolo.boxes import RawBoxes, read_boxes
from services.detector.yolo.looks import agreed
from services.detector.yolo.orientation import Orientation, middle
from services.detector.yolo.preprocess import Bucket, View, view
from services.detector.yolo.skew import skew
from services.detector.yolo.straightening import laid_back, straightened
from services.detector.yolo.turning import surer, turned, turned_back
from shared.domain.detection import Box, Detection, Kind, Page
from shared.domain.model_version import ModelVersion
from shared.pages.renderer import RenderedPage

_MAX_OVERLAP = 0.5
_LEAST_SCORE = 0.001  # what a look tells at all; far below what any threshold asks, as average precision needs it


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
    """Finds what its model knows on page rasters.

    Classes of the model that are no Kind of ours are passed over. ``min_confidence`` is the least worth reporting.
    Pages that lie askew are looked at straightened as well; with ``orientation`` those that seem to lie sideways or
    upside down the other way round as well.
    """

    def __init__(
        self, backend: Backend, model: ModelVersion, min_confidence: float, orientation: Orientation | None = None
    ) -> None:
        self._backend = backend
        self._model = model
        self._kinds = [_kind(name) for name in model.classes]
        self._rivals = _rivals(self._kinds)
        self._min_confidence = min_confidence
        self._orientation = orientation

    def warm_up(self) -> None:
        """Run the common input shapes once, so that the first page does not wait for a runtime to compile them."""
        for count in (1, 2):
            for size in self._model.input_sizes:
                blank = view(np.zeros((size, 1, 3), dtype=np.uint8), (1, size), size).tensor
                self._backend.infer(np.stack([blank] * count))
            if self._orientation:
                self._orientation.turns([middle(np.zeros((1, 1, 3), dtype=np.uint8))] * count)

    def prepare(self, page: RenderedPage) -> PreparedPage:
        """Make a page ready; thread-safe and free of the model, so callers do it on their own threads."""
        way_up = middle(page.raster) if self._orientation else None
        return PreparedPage(page, self._views(page), way_up, skew(page.raster))

    def detect(self, prepared: Sequence[PreparedPage]) -> list[Page]:
        """Examine pages whose views have the same shapes, one forward a look. One thread at a time."""
        lying = self._examine(prepared)
        pages = [self._straightened(page, found) for page, found in zip(prepared, lying, strict=True)]
        for index, quarters in self._turned(prepared):
            there = turned(prepared[index].rendered, quarters)
            ready = PreparedPage(there, self._views(there), None, skew(there.raster))
            found = self._straightened(ready, self._examine([ready])[0])
            pages[index] = surer(pages[index], turned_back(found, quarters))
        return pages

    def _turned(self, prepared: Sequence[PreparedPage]) -> Iterator[tuple[int, int]]:
        """Which of the pages seem to be turned, and by how many quarters they have to be turned to the left."""
        middles = [page.middle for page in prepared if page.middle is not None]
        if self._orientation and middles:
            yield from ((index, turns) for index, turns in enumerate(self._orientation.turns(middles)) if turns)

    def _straightened(self, page: PreparedPage, lying: Page) -> Page:
        """What is found on the page made straight, laid back; what was found as it lies, where that is straight."""
        if not page.skew:
            return lying
        there = straightened(page.rendered, page.skew)
        (found,) = self._examine([PreparedPage(there, self._views(there), None, 0.0)])
        return laid_back(found, page.skew, lying)

    def _views(self, page: RenderedPage) -> tuple[View, ...]:
        return tuple(view(page.raster, (page.width, page.height), into) for into in self._model.input_sizes)

    def _examine(self, prepared: Sequence[PreparedPage]) -> list[Page]:
        looks = [self._look([page.views[number] for page in prepared]) for number in range(len(prepared[0].views))]
        return [self._page(page.rendered, seen) for page, *seen in zip(prepared, *looks, strict=True)]

    def detect_all(self, pages: Sequence[RenderedPage]) -> list[Page]:
        """Examine any pages, in order, without a batcher: for evaluation and scripts."""
        prepared = [self.prepare(page) for page in pages]
        runs = [list(run) for _, run in groupby(prepared, key=lambda page: page.shapes)]
        return [page for run in runs for page in self.detect(run)]

    def _look(self, views: Sequence[View]) -> list[RawBoxes]:
        """Boxes of each page in page pixels."""
        outputs = self._backend.infer(np.stack([view.tensor for view in views]))
        boxes = [read_boxes(output, _LEAST_SCORE, _MAX_OVERLAP, self._rivals) for output in outputs]
        return [
            RawBoxes(view.placement.to_page(one.corners), one.confidences, one.classes)
            for view, one in zip(views, boxes, strict=True)
        ]

    def _page(self, page: RenderedPage, looks: Sequence[RawBoxes]) -> Page:
        boxes = agreed(looks, _LEAST_SCORE, _MAX_OVERLAP, self._rivals)
        sure = [self._model.calibration.confidence(float(score)) for score in boxes.confidences]
        known = [
            (kind, index)
            for index in range(len(boxes))
            if sure[index] >= self._min_confidence and (kind := self._kind_of(boxes, index))
        ]
        found = [
            Detection(f"p{page.number}-{rank}", kind, sure[index], _box(boxes.corners[index]))
            for rank, (kind, index) in enumerate(known, start=1)
        ]
        return Page(page.number, page.width, page.height, tuple(found), page.tone)

    def _kind_of(self, boxes: RawBoxes, index: int) -> Kind | None:
        number = int(boxes.classes[index])
        return self._kinds[number] if number < len(self._kinds) else None


def _kind(name: str) -> Kind | None:
    try:
        return Kind(name.lower())
    except ValueError:
        return None


def _rivals(kinds: Sequence[Kind | None]) -> dict[int, int]:
    """What somebody wrote in one place is a signature or initials. A stamp is no rival: signatures lie under it."""
    if Kind.SIGNATURE in kinds and Kind.INITIALS in kinds:
        return {kinds.index(Kind.INITIALS): kinds.index(Kind.SIGNATURE)}
    return {}


def _box(corners: Floats) -> Box:
    left, top, right, bottom = (float(value) for value in corners)
    return Box(left, top, right - left, bottom - top)
