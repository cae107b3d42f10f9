"""Measures a model on labelled pages, whoever predicts: our production path, or anybody's weights.

The caller passes `predict`, which takes a file and gives its pages with detections in page pixels; so what is measured
is exactly the code that was passed in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from services.trainer.calibration import expected_calibration_error, reliability
from services.trainer.dataset import DatasetError, LabelledPage
from services.trainer.metrics import ExaminedPage, bootstrap, bootstrap_difference, measure, tally
from shared.domain.at_stamps import at_stamps
from shared.domain.detection import Kind, Page
from shared.domain.errors import ParapheError
from shared.domain.labels import KINDS, SIGNATURES_ONLY

Predict = Callable[[Path], Sequence[Page]]
Progress = Callable[[Iterable[LabelledPage]], Iterable[LabelledPage]]

_SIZE_BINS = {"small": (0.0, 0.04), "medium": (0.04, 0.08), "large": (0.08, 1.0)}  # square root of the page's share


@dataclass(frozen=True)
class Examination:
    """A labelled page with what was found on it."""

    labelled: LabelledPage
    page: ExaminedPage
    size: tuple[int, int]


def labelled_for(kind: Kind, pages: Sequence[LabelledPage]) -> list[LabelledPage]:
    """The pages that are labelled for a kind: on others its boxes may be there unmarked."""
    return [page for page in pages if kind is Kind.SIGNATURE or SIGNATURES_ONLY not in page.tags]


def examine(
    pages: Sequence[LabelledPage],
    predict: Predict,
    kind: Kind = Kind.SIGNATURE,
    progress: Progress = iter,
) -> list[Examination]:
    """Predict every page and pair it with its truth, for one kind of box.

    DatasetError: a page cannot be read, or its file holds several.
    """
    return [_examine(page, predict, kind) for page in progress(pages)]


def _examine(labelled: LabelledPage, predict: Predict, kind: Kind) -> Examination:
    try:
        predicted = predict(labelled.path)
    except (ParapheError, OSError) as error:
        raise DatasetError(f"{labelled.name}: {error}") from error
    if len(predicted) != 1:
        raise DatasetError(f"{labelled.name}: a labelled file holds one page, this one gave {len(predicted)}")
    page = predicted[0]
    marks = zip(page.detections, at_stamps(page.detections), strict=True)
    found = [(one, at_stamp) for one, at_stamp in marks if one.kind is kind]
    wanted = [box for box in labelled.boxes if box.kind == KINDS.index(kind)]
    examined = ExaminedPage(
        name=labelled.name,
        group=labelled.group,
        truth=np.array([box.corners(page.width, page.height) for box in wanted], dtype=float).reshape(-1, 4),
        overlapped=np.array([-1 if box.overlapped is None else int(box.overlapped) for box in wanted], dtype=int),
        found=np.array([one.box.corners for one, _ in found], dtype=float).reshape(-1, 4),
        confidence=np.array([one.confidence for one, _ in found], dtype=float),
        at_stamp=np.array([at_stamp for _, at_stamp in found], dtype=bool),
    )
    return Examination(labelled, examined, (page.width, page.height))


def evaluate(examinations: Sequence[Examination], accept: float, samples: int = 500) -> dict[str, Any]:
    """All measures with their intervals: over everything and for each slice that holds a page."""
    table = tally([one.page for one in examinations], accept)
    rows = reliability(table.confidence[table.confidence >= 0.05], table.correct[table.confidence >= 0.05, 0])
    return {
        "accept": accept,
        "all": _measured(examinations, accept, samples),
        "slices": {
            name: _measured(members, accept, samples) for name, members in sorted(slices_of(examinations).items())
        },
        "calibration": {"error": _number(expected_calibration_error(rows)), "bins": rows},
    }


@dataclass(frozen=True)
class Judged:
    """What a model found on some pages, and from which confidence it counts."""

    examinations: Sequence[Examination]
    accept: float


def compare(candidate: Judged, against: Judged, samples: int = 500) -> dict[str, dict[str, float | None]]:
    """Every measure of two models on the same pages, their difference (candidate less other) and its 95 % interval."""
    one, other = (tally([each.page for each in judged.examinations], judged.accept) for judged in (candidate, against))
    intervals = bootstrap_difference(one, other, samples)
    values = zip(measure(one).items(), measure(other).values(), strict=True)
    return {
        name: {
            "candidate": _number(ours),
            "against": _number(theirs),
            "difference": _number(ours - theirs),
            "low": _number(intervals[name][0]),
            "high": _number(intervals[name][1]),
        }
        for (name, ours), theirs in values
    }


def slices_of(examinations: Sequence[Examination]) -> dict[str, list[Examination]]:
    """The pages of each source, tag and size of the smallest box measured. A page lies in several slices."""
    slices: dict[str, list[Examination]] = {}
    for one in examinations:
        for name in _slice_names(one):
            slices.setdefault(name, []).append(one)
    return slices


def _slice_names(one: Examination) -> list[str]:
    names = [f"source:{one.labelled.source}", *(f"tag:{tag}" for tag in one.labelled.tags)]
    corners, (width, height) = one.page.truth, one.size
    if len(corners):
        smallest = float((corners[:, 2:] - corners[:, :2]).prod(1).min())
        size = math.sqrt(smallest / (width * height))
        names += [f"size:{name}" for name, (low, high) in _SIZE_BINS.items() if low <= size < high]
    return names


def _measured(examinations: Sequence[Examination], accept: float, samples: int) -> dict[str, Any]:
    table = tally([one.page for one in examinations], accept)
    intervals = bootstrap(table, samples)
    values = {
        name: {"value": _number(value), "low": _number(intervals[name][0]), "high": _number(intervals[name][1])}
        for name, value in measure(table).items()
    }
    return {"pages": len(examinations), "boxes": int(table.true_count.sum()), **values}


def _number(value: float) -> float | None:
    """JSON knows no NaN: a measure without meaning (no unsigned page, say) is null."""
    return None if math.isnan(value) else round(value, 5)
