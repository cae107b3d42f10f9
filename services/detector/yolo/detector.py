"""Pages in, pages with detections out: the same code for production and for evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from services.detector.yolo.arrays import Floats
from services.detector.yolo.backends.backend import Backend
from services.detector.yolo.boxes import RawBoxes, read_boxes
from services.detector.yolo.preprocess import Bucket, Placement, bucket, place, tensor
from shared.domain.detection import Box, Detection, Kind, Page, Tone
from shared.pages.renderer import RenderedPage

DEFAULT_MAX_OVERLAP = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class PreparedPage:
    """One page ready for the network: pages of one ``bucket`` can share a forward."""

    number: int
    bucket: Bucket
    placement: Placement
    tensor: Floats
    tone: Tone


class Detector:
    """Finds what its model knows on page rasters.

    ``classes`` are the model's class names in order; those that are no Kind of ours are passed over.
    ``min_confidence`` is the least confidence worth reporting.
    """

    def __init__(
        self,
        backend: Backend,
        classes: Sequence[str],
        input_size: int,
        min_confidence: float,
        max_overlap: float = DEFAULT_MAX_OVERLAP,
    ) -> None:
        self._backend = backend
        self._kinds = [_kind(name) for name in classes]
        self._rivals = _rivals(self._kinds)
        self._input_size = input_size
        self._min_confidence = min_confidence
        self._max_overlap = max_overlap

    def warm_up(self) -> None:
        """Run the common input shape once, so that the first page does not wait for a runtime to compile it."""
        shape = bucket(self._input_size, 1, self._input_size)
        for count in (1, 2):
            self._backend.infer(np.zeros((count, 3, *shape), dtype=np.float32))

    def prepare(self, page: RenderedPage) -> PreparedPage:
        """Make a page ready; thread-safe and free of the model, so callers do it on their own threads."""
        into = bucket(page.raster.shape[0], page.raster.shape[1], self._input_size)
        placement = place(page.raster, (page.width, page.height), into)
        return PreparedPage(page.number, into, placement, tensor(page.raster, placement, into), page.tone)

    def detect(self, prepared: Sequence[PreparedPage]) -> list[Page]:
        """Examine pages of one bucket in one forward. One thread at a time."""
        outputs = self._backend.infer(np.stack([page.tensor for page in prepared]))
        return [self._page(page, output) for page, output in zip(prepared, outputs, strict=True)]

    def detect_all(self, pages: Sequence[RenderedPage]) -> list[Page]:
        """Examine any pages, in order, without a batcher: for evaluation and scripts."""
        prepared = [self.prepare(page) for page in pages]
        runs = [list(run) for _, run in groupby(prepared, key=lambda page: page.bucket)]
        return [page for run in runs for page in self.detect(run)]

    def _page(self, page: PreparedPage, output: Floats) -> Page:
        boxes = read_boxes(output, self._min_confidence, self._max_overlap, self._rivals)
        corners = page.placement.to_page(boxes.corners)
        known = [(kind, index) for index in range(len(boxes)) if (kind := self._kind_of(boxes, index))]
        found = [
            Detection(f"p{page.number}-{rank}", kind, float(boxes.confidences[index]), _box(corners[index]))
            for rank, (kind, index) in enumerate(known, start=1)
        ]
        placement = page.placement
        return Page(page.number, placement.page_width, placement.page_height, tuple(found), page.tone)

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
