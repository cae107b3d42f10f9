"""Pages as they lie in, what a model's looks find on them out."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from services.detector.yolo.arrays import Bools, Floats
from services.detector.yolo.backends.backend import Backend
from services.detector.yolo.boxes import RawBoxes, distinct, pooled, read_boxes
from services.detector.yolo.looks import agreed
from services.detector.yolo.nearer import part_size, parts, told_from_near, without_colours, worth_a_look
from services.detector.yolo.preprocess import View, view
from shared.domain.at_stamps import SURE_STAMP, at_stamps
from shared.domain.detection import Box, Detection, Kind, Page, Tone
from shared.domain.model_version import ModelVersion
from shared.pages.renderer import RenderedPage

_MAX_OVERLAP = 0.5
_LEAST_SCORE = 0.001  # what a look tells at all; far below what any threshold asks, as average precision needs it

_OWN_NETWORK_COUNTS = 2
"""As how many looks one from near counts where a network does nothing else (docs/decisions/0017)."""


class Examiner:
    """One model's looks at pages: as many as it has input sizes, and two from near where it finds stamps.

    Classes of the model that are no Kind of ours are passed over. ``min_confidence`` is the least worth reporting.
    """

    def __init__(self, backend: Backend, model: ModelVersion, min_confidence: float) -> None:
        self._backend = backend
        self._model = model
        self._kinds = [_kind(name) for name in model.classes]
        self._rivals = _rivals(self._kinds)
        self._min_confidence = min_confidence

    def warm_up(self, count: int) -> None:
        """Run the common input shapes once, with so many pages, for a runtime that has to compile them."""
        for blank in self._blanks():
            self._backend.infer(np.stack([blank] * count))

    def _blanks(self) -> list[Floats]:
        sizes = self._model.input_sizes
        blanks = [view(np.zeros((size, 1, 3), dtype=np.uint8), (1, size), size).tensor for size in sizes]
        if Kind.STAMP in self._kinds:
            blanks.append(np.zeros((3, part_size(sizes[0]), part_size(sizes[0])), dtype=np.float32))
        return blanks

    def views(self, page: RenderedPage) -> tuple[View, ...]:
        """What each look will see of a page; thread-safe."""
        largest, *others = self._model.input_sizes
        sizes = [self._model.small_print if page.small_print else largest, *others]
        return tuple(view(page.raster, (page.width, page.height), into) for into in sizes)

    def examine(self, pages: Sequence[RenderedPage], views: Sequence[Sequence[View]]) -> list[Page]:
        """Examine pages, given the views of each, which have the same shapes: one forward a look."""
        looks = [self._look(of_all) for of_all in zip(*views, strict=True)]
        return [
            self._page(page, self._told(page, largest.placement.raster_width, seen))
            for page, (largest, *_), *seen in zip(pages, views, *looks, strict=True)
        ]

    def _look(self, views: Sequence[View]) -> list[RawBoxes]:
        """Boxes seen in each view, in page pixels."""
        outputs = self._backend.infer(np.stack([view.tensor for view in views]))
        boxes = [read_boxes(output, _LEAST_SCORE, _MAX_OVERLAP, self._rivals) for output in outputs]
        return [
            RawBoxes(view.placement.to_page(one.corners), one.confidences, one.classes)
            for view, one in zip(views, boxes, strict=True)
        ]

    def _told(self, page: RenderedPage, width: int, looks: Sequence[RawBoxes]) -> RawBoxes:
        """What the looks at a page, the largest this many pixels wide, say together, and two from near at stamps."""
        far = self._agreed(looks)
        stamps = worth_a_look(far.corners[self._are_stamps(far) & (far.confidences >= SURE_STAMP)], page)
        if not len(stamps):
            return far
        views = parts(page, stamps, self._model.input_sizes[0], width)
        times = _OWN_NETWORK_COUNTS if self._model.has_near_network else 1
        near = self._agreed([*looks, *self._looks_from_near(page, views) * times])
        return self._distinct(told_from_near(far, near, stamps, views))

    def _looks_from_near(self, page: RenderedPage, views: Sequence[View]) -> list[RawBoxes]:
        """One at the parts of a page as they are, one without colours; of a page without any both are the same.

        Most stamps are coloured: of them the second says what the first does.
        """
        as_they_are = self._distinct(pooled(self._look(views)))
        if page.tone is not Tone.COLOUR:
            return [as_they_are] * 2
        black = pooled(self._look([without_colours(view) for view in views]))
        stamps = as_they_are.picked(self._are_stamps(as_they_are))
        return [as_they_are, self._distinct(pooled([black.picked(~self._are_stamps(black)), stamps]))]

    def _agreed(self, looks: Sequence[RawBoxes]) -> RawBoxes:
        return agreed(looks, _LEAST_SCORE, _MAX_OVERLAP, self._rivals)

    def _distinct(self, boxes: RawBoxes) -> RawBoxes:
        return distinct(boxes, _MAX_OVERLAP, self._rivals)

    def _are_stamps(self, boxes: RawBoxes) -> Bools:
        number = self._kinds.index(Kind.STAMP) if Kind.STAMP in self._kinds else -1
        return np.asarray(boxes.classes == number)

    def _page(self, page: RenderedPage, boxes: RawBoxes) -> Page:
        """The page with what is worth reporting, by falling confidence."""
        raw = [
            Detection("", kind, float(boxes.confidences[index]), Box.of_corners(*boxes.corners[index].tolist()))
            for index in range(len(boxes))
            if (kind := self._kind_of(boxes, index))
        ]
        calibrated = self._model.calibration.confidence
        sure = [(calibrated(one.confidence, at_stamp), one) for one, at_stamp in zip(raw, at_stamps(raw), strict=True)]
        told = sorted((pair for pair in sure if pair[0] >= self._min_confidence), key=lambda pair: -pair[0])
        found = tuple(
            replace(one, id=f"p{page.number}-{rank}", confidence=confidence)
            for rank, (confidence, one) in enumerate(told, start=1)
        )
        return Page(page.number, page.width, page.height, found, page.tone)

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
