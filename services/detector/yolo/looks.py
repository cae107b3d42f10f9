"""What several looks at one page, each at its own scale, say together.

A small look sees the page as a whole and knows a signature by its place; a large one sees faint and small strokes.
Averaging both drops what only one of them imagines and places boxes better (docs/decisions/0012).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from services.detector.yolo.arrays import Bools, Ints
from services.detector.yolo.boxes import RawBoxes, distinct, overlaps, pooled


def agreed(looks: Sequence[RawBoxes], floor: float, max_overlap: float, rivals: Mapping[int, int]) -> RawBoxes:
    """One set of boxes from those of each look, all in the same pixels, by falling confidence.

    Boxes of one class that overlap by more than ``max_overlap`` are one object: its confidence is the looks' mean, its
    box the mean weighted by confidence. A look that does not have it counts as ``floor``, the least it would have told.
    """
    if len(looks) == 1:
        return looks[0]
    told = pooled(looks)
    look = np.repeat(np.arange(len(looks)), [len(one) for one in looks])
    corners, confidences, classes = [], [], []
    free = np.ones(len(told), dtype=bool)
    for surest in np.argsort(-told.confidences, kind="stable"):
        if free[surest]:
            same = _same_object(told, look, surest, free, max_overlap)
            free[same] = False
            weights = told.confidences[same]
            corners.append(np.average(told.corners[same], axis=0, weights=weights))
            confidences.append((weights.sum() + floor * (len(looks) - len(same))) / len(looks))
            classes.append(told.classes[surest])
    fused = RawBoxes(
        np.array(corners, dtype=np.float32).reshape(-1, 4), np.array(confidences), np.array(classes, dtype=np.intp)
    )
    return distinct(fused, max_overlap, rivals)


def _same_object(boxes: RawBoxes, look: Ints, surest: int, free: Bools, max_overlap: float) -> Ints:
    """The surest box and, of each other look, the free box of its class that overlaps it most, if enough."""
    overlap = overlaps(boxes.corners[surest], boxes.corners)
    overlap[~free | (boxes.classes != boxes.classes[surest]) | (look == look[surest])] = 0
    overlap[surest] = 1
    best = {int(np.where(look == number, overlap, 0).argmax()) for number in np.unique(look)}
    return np.array([index for index in sorted(best) if overlap[index] > max_overlap], dtype=np.intp)
