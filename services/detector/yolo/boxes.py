"""Read the network's output: which boxes, how sure, each object once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.detector.yolo.arrays import Bools, Floats, Ints

_MAX_CANDIDATES = 1000
"""Boxes considered for one page before overlapping ones are dropped: the surest; a page has a handful."""

_SAME_PLACE = 0.65
"""Overlap, intersection over union, of boxes that are about one place and only differ in where its edges are."""

_END_TO_END_COLUMNS = 6

NO_RIVALS: Mapping[int, int] = {}


@dataclass(frozen=True, slots=True)
class RawBoxes:
    """Boxes of one page: corners [n, 4] (x1, y1, x2, y2), confidences, class indices."""

    corners: Floats
    confidences: Floats
    classes: Ints

    def __len__(self) -> int:
        return len(self.confidences)

    def picked(self, which: Ints | Bools) -> "RawBoxes":
        """Some of them, in the order given, or those for which it is true."""
        return RawBoxes(self.corners[which], self.confidences[which], self.classes[which])


def pooled(sets: Sequence[RawBoxes]) -> RawBoxes:
    """All of one or more sets, one after the other."""
    return RawBoxes(
        np.concatenate([one.corners for one in sets]),
        np.concatenate([one.confidences for one in sets]),
        np.concatenate([one.classes for one in sets]),
    )


def read_boxes(
    output: Floats, min_confidence: float, max_overlap: float, rivals: Mapping[int, int] = NO_RIVALS
) -> RawBoxes:
    """One page's boxes out of the network's output for it, in network pixels, by falling confidence.

    ``output`` is [4 + classes, anchors] (centre, size and class scores, as Ultralytics exports by default) or
    [boxes, 6] (corners, score and class: exports that have dropped overlapping boxes themselves). In the former, boxes
    that overlap by more than ``max_overlap``, intersection over union, give way to the surest if they are of one class
    or of two that exclude each other: ``rivals`` says of a class which other one it stands against.
    """
    if output.shape[1] == _END_TO_END_COLUMNS:
        return by_confidence(RawBoxes(output[:, :4], output[:, 4], output[:, 5].astype(np.intp)), min_confidence)
    scores = output[4:]
    classes = scores.argmax(axis=0)
    confidences = scores[classes, np.arange(scores.shape[1])]
    likely = np.flatnonzero(confidences >= min_confidence)
    boxes = RawBoxes(_corners(output[:4, likely].T), confidences[likely], classes[likely])
    candidates = by_confidence(boxes, min_confidence)
    return _evened(distinct(candidates, max_overlap, rivals), candidates)


def _corners(centred: Floats) -> Floats:
    centre, half = centred[:, :2], centred[:, 2:] / 2
    return np.concatenate([centre - half, centre + half], axis=1)


def by_confidence(boxes: RawBoxes, min_confidence: float) -> RawBoxes:
    """The surest first, without those below ``min_confidence`` and beyond the most that are considered."""
    order = np.argsort(-boxes.confidences, kind="stable")
    order = order[boxes.confidences[order] >= min_confidence]
    return boxes.picked(order[:_MAX_CANDIDATES])


def distinct(boxes: RawBoxes, max_overlap: float, rivals: Mapping[int, int]) -> RawBoxes:
    """Non-maximum suppression among rivals: keep the surest box, drop what it covers, go on; by falling confidence."""
    boxes = by_confidence(boxes, 0.0)
    side = boxes.classes.copy()
    for one, other in rivals.items():
        side[side == one] = other
    kept: list[int] = []
    rest = np.arange(len(boxes))
    while len(rest):
        best, rest = rest[0], rest[1:]
        kept.append(best)
        covered = overlaps(boxes.corners[best], boxes.corners[rest]) > max_overlap
        rest = rest[~(covered & (side[rest] == side[best]))]
    return boxes.picked(np.array(kept, dtype=np.intp))


def _evened(kept: RawBoxes, candidates: RawBoxes) -> RawBoxes:
    """Each kept box moved to the mean, by confidence, of all that were about its place: steadier than any one."""
    corners = kept.corners.copy()
    for index, box in enumerate(kept.corners):
        near = (overlaps(box, candidates.corners) > _SAME_PLACE) & (candidates.classes == kept.classes[index])
        corners[index] = np.average(candidates.corners[near], axis=0, weights=candidates.confidences[near])
    return RawBoxes(corners, kept.confidences, kept.classes)


def overlaps(one: Floats, others: Floats) -> Floats:
    """Intersection over union of a box [4] with boxes [n, 4]."""
    low, high = np.maximum(one[:2], others[:, :2]), np.minimum(one[2:], others[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    total = (one[2:] - one[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(axis=1) - shared
    return np.asarray(shared / np.maximum(total, 1e-9))
