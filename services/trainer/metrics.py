"""The measures, in numpy: matching, precision, recall, F1, average precision, pages, counts, false alarms.

Everything is computed from one pooled table (`Tally`) in which each detection, box and page carries a weight, so that
a bootstrap sample is nothing but other weights. Average precision is COCO's 101-point one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

IOU_THRESHOLDS: Floats = np.linspace(0.5, 0.95, 10)
_RECALL_POINTS: Floats = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class ExaminedPage:
    """One page's truth and what the model found, boxes as (n, 4) x1 y1 x2 y2 in page pixels.

    overlapped is 1 where a true box crosses print, 0 where not, -1 where unknown; at_stamp tells of each of the found
    whether a found stamp touches it, where scores are not calibrated yet; group ties pages that belong together.
    """

    name: str
    group: str
    truth: Floats
    overlapped: Ints
    found: Floats
    confidence: Floats
    at_stamp: Bools


@dataclass(frozen=True)
class Tally:
    """All pages' outcomes pooled. Detections are ordered by falling confidence; *_page give the page of each row."""

    confidence: Floats
    at_stamp: Bools
    correct: Bools  # (detections, 10): right at each IoU threshold
    found_page: Ints
    truth_page: Ints
    truth_recalled: Bools  # at the accept threshold and IoU 0.5
    truth_overlapped: Ints
    true_count: Ints
    found_count: Ints  # at the accept threshold
    page_group: Ints
    accept: float


def box_iou(first: Floats, second: Floats) -> Floats:
    """Intersection over union of every pair: (n, 4) and (m, 4) give (n, m)."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    overlap = np.clip(high - low, 0, None).prod(2)
    areas = (first[:, 2:] - first[:, :2]).prod(1)[:, None] + (second[:, 2:] - second[:, :2]).prod(1)[None]
    return np.asarray(overlap / np.maximum(areas - overlap, 1e-12))


def match(truth: Floats, found: Floats, thresholds: Floats = IOU_THRESHOLDS) -> Ints:
    """Give each detection, in order of falling confidence, the best true box still free.

    Returns (detections, thresholds): the index of the true box, or -1.
    """
    given = np.full((len(found), len(thresholds)), -1)
    if not len(truth) or not len(found):
        return given
    iou = box_iou(truth, found)
    taken = np.zeros((len(truth), len(thresholds)), dtype=bool)
    columns = np.arange(len(thresholds))
    for row in range(len(found)):
        free = np.where(taken, 0.0, iou[:, row, None])
        best = free.argmax(0)
        hit = free[best, columns] >= thresholds
        given[row, hit] = best[hit]
        taken[best[hit], columns[hit]] = True
    return given


def tally(pages: Sequence[ExaminedPage], accept: float) -> Tally:
    """Pool pages into one table; accept is the confidence from which a detection counts as a signature."""
    rows = [_tally_page(page, accept) for page in pages]
    confidence = np.concatenate([row[0] for row in rows]) if rows else np.zeros(0)
    order = np.argsort(-confidence, kind="stable")
    groups = {name: number for number, name in enumerate(sorted({page.group for page in pages}))}
    found_page = np.repeat(np.arange(len(pages)), [len(page.found) for page in pages])
    return Tally(
        confidence=confidence[order],
        at_stamp=np.concatenate([row[1] for row in rows])[order],
        correct=np.concatenate([row[2] for row in rows])[order],
        found_page=found_page[order],
        truth_page=np.repeat(np.arange(len(pages)), [len(page.truth) for page in pages]),
        truth_recalled=np.concatenate([row[3] for row in rows]),
        truth_overlapped=np.concatenate([page.overlapped for page in pages]),
        true_count=np.array([len(page.truth) for page in pages]),
        found_count=np.array([int((page.confidence >= accept).sum()) for page in pages]),
        page_group=np.array([groups[page.group] for page in pages]),
        accept=accept,
    )


def _tally_page(page: ExaminedPage, accept: float) -> tuple[Floats, Bools, Bools, Bools]:
    order = np.argsort(-page.confidence, kind="stable")
    confidence = page.confidence[order]
    given = match(page.truth, page.found[order])
    recalled = np.zeros(len(page.truth), dtype=bool)
    sure = given[confidence >= accept, 0]
    recalled[sure[sure >= 0]] = True
    return confidence, page.at_stamp[order], given >= 0, recalled


def average_precision(correct: Bools, weight: Floats, truth: float) -> Floats:
    """Average precision for each column of correct; rows by falling confidence, truth the (weighted) true boxes."""
    if not len(correct) or truth <= 0:
        return np.full(correct.shape[1], 0.0 if truth > 0 else np.nan)
    right = (correct * weight[:, None]).cumsum(0)
    precision = right / np.maximum(weight.cumsum()[:, None], 1e-16)
    recall = right / truth
    return np.array([_interpolated(recall[:, j], precision[:, j]) for j in range(correct.shape[1])])


def _interpolated(recall: Floats, precision: Floats) -> float:
    recall = np.concatenate(([0.0], recall, [recall[-1], 1.0]))
    precision = np.concatenate(([1.0], precision, [0.0, 0.0]))
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.trapezoid(np.interp(_RECALL_POINTS, recall, envelope), _RECALL_POINTS))


def measure(table: Tally, page_weight: Floats | None = None) -> dict[str, float]:
    """All measures of a table; NaN where one has no meaning (no unsigned page, no known overlap)."""
    weight = np.ones(len(table.true_count)) if page_weight is None else page_weight
    precisions = average_precision(table.correct, weight[table.found_page], float(weight @ table.true_count))
    return {
        **_at_threshold(table, weight),
        "map50": float(precisions[0]),
        "map50_95": float(precisions.mean()),
        **_by_page(table, weight),
    }


def _at_threshold(table: Tally, weight: Floats) -> dict[str, float]:
    recalled = float(weight[table.truth_page] @ table.truth_recalled)
    found, truth = float(weight @ table.found_count), float(weight @ table.true_count)
    overlapped = weight[table.truth_page] * (table.truth_overlapped == 1)
    return {
        "precision": _share(recalled, found),
        "recall": _share(recalled, truth),
        "f1": _share(2 * recalled, found + truth),
        "recall_overlapped": _share(float(overlapped @ table.truth_recalled), float(overlapped.sum())),
    }


def recall(table: Tally, thresholds: Floats) -> Floats:
    """What measure() gives at IoU 0.5, at each of many thresholds, whatever the table's own; 0 where it has no meaning.

    One table serves all: surer boxes are matched first, so what a box matches hangs on no threshold.
    """
    right = (table.confidence[:, None] >= thresholds) & table.correct[:, :1]
    return np.asarray(right.sum(axis=0) / max(table.true_count.sum(), 1))


def promised_f1(table: Tally, thresholds: Floats) -> Floats:
    """The F1 at each threshold if of what passes as many are right as the confidences say.

    So few pages more or less change it much less than the F1 that is counted.
    """
    passing = table.confidence[:, None] >= thresholds
    right = (passing * table.confidence[:, None]).sum(axis=0)
    return np.asarray(2 * right / np.maximum(passing.sum(axis=0) + table.true_count.sum(), 1))


def _by_page(table: Tally, weight: Floats) -> dict[str, float]:
    signed, found_signed = table.true_count > 0, table.found_count > 0
    unsigned = weight * ~signed
    return {
        "page_accuracy": _share(float(weight @ (signed == found_signed)), float(weight.sum())),
        "count_accuracy": _share(float(weight @ (table.true_count == table.found_count)), float(weight.sum())),
        "false_per_100_unsigned": 100 * _share(float(unsigned @ table.found_count), float(unsigned.sum())),
    }


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")


def bootstrap(table: Tally, samples: int = 500, seed: int = 0) -> dict[str, tuple[float, float]]:
    """95 % interval of every measure: groups drawn with replacement, so that pages of one document stay together.

    NaN for both ends where there is but one group: nothing tells how far another would lie from it.
    """
    draws = _draws(table, samples, seed)
    return _intervals(measure(table), [measure(table, draw) for draw in draws])


def bootstrap_difference(one: Tally, other: Tally, samples: int = 500, seed: int = 0) -> dict[str, tuple[float, float]]:
    """The same of every measure of ``one`` less that of ``other``, both of the same pages: drawn for both alike.

    So what is hard for both adds nothing to the interval. ValueError: they are not of the same pages.
    """
    if not np.array_equal(one.page_group, other.page_group) or not np.array_equal(one.true_count, other.true_count):
        raise ValueError("a difference wants the same pages in the same order")
    draws = _draws(one, samples, seed)
    return _intervals(measure(one), [_less(measure(one, draw), measure(other, draw)) for draw in draws])


def _less(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    return {name: one[name] - other[name] for name in one}


def _draws(table: Tally, samples: int, seed: int) -> list[Floats]:
    """Weights of the pages in each bootstrap sample; no sample where there is but one group."""
    groups = int(table.page_group.max()) + 1
    if groups < 2:
        return []
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(groups, np.full(groups, 1 / groups), size=samples).astype(float)
    return [draw[table.page_group] for draw in drawn]


def _intervals(names: Iterable[str], sampled: Sequence[dict[str, float]]) -> dict[str, tuple[float, float]]:
    return {name: _interval(np.array([one[name] for one in sampled])) for name in names}


def _interval(values: Floats) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)
