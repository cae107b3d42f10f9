"""Confidence that means what it says, and the two thresholds a verdict rests on.

The correction is Platt's: a straight line through the logit of the score, higher up for signatures at stamps
(docs/decisions/0019). The detector applies it last, after all looks at a page are one, so that the thresholds follow
from the same examination.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from services.trainer.dataset import DatasetError
from services.trainer.metrics import Bools, ExaminedPage, Floats, promised_f1, recall, tally
from shared.domain.model_version import Calibration
from shared.domain.verdict import Thresholds

_LEAST_REVIEW = 0.1
_AT_REST = 1e-9  # a step of Newton's method that changes nothing
_PRIOR_STRENGTH = 4.0  # pulls a correction from few detections towards none


def calibrate(pages: Sequence[ExaminedPage]) -> tuple[Calibration, Thresholds]:
    """What to make of the raw scores on these pages, which training must not have seen.

    DatasetError: what is found on them contradicts the scores.
    """
    calibration = calibration_of(pages)
    sure = [replace(page, confidence=corrected(calibration, page.confidence, page.at_stamp)) for page in pages]
    return calibration, choose_thresholds(sure)


def corrected(calibration: Calibration, scores: Floats, at_stamp: Bools) -> Floats:
    """Calibrated confidences of many scores."""
    told = [
        calibration.confidence(float(score), bool(touched)) for score, touched in zip(scores, at_stamp, strict=True)
    ]
    return np.array(told, dtype=float)


def fit_calibration(confidence: Floats, at_stamp: Bools, correct: Bools, steps: int = 50) -> Calibration:
    """Logistic regression of being right on the score's logit and on touching a stamp, by Newton's method.

    Its prior is at no change: few detections, or none at stamps, change little, or nothing there.

    DatasetError: surer detections are less often right, which no calibration mends.
    """
    design = np.stack([_logit(confidence), np.ones_like(confidence), at_stamp], axis=1)
    prior, line = np.array([1.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.0])

    def loss(line: Floats) -> float:
        place = design @ line
        return float(
            (np.logaddexp(0, place) - correct * place).sum() + _PRIOR_STRENGTH / 2 * ((line - prior) ** 2).sum()
        )

    for _ in range(steps):
        share = _sigmoid(design @ line)
        gradient = design.T @ (share - correct) + _PRIOR_STRENGTH * (line - prior)
        curvature = (design * (share * (1 - share))[:, None]).T @ design + _PRIOR_STRENGTH * np.eye(3)
        step = np.linalg.solve(curvature, gradient)
        while loss(line - step) > loss(line):  # where the curve is flat a whole step lands far beyond its lowest point
            step = step / 2
        line = line - step
        if np.abs(step).max() < _AT_REST:
            break
    if line[0] <= 0:
        raise DatasetError(
            "On these pages detections are the less often right the surer the network is of them, so its scores cannot "
            "be calibrated: check the labels, or give more pages it never saw."
        )
    return Calibration(*line.tolist())


def calibration_of(pages: Sequence[ExaminedPage], floor: float = 0.02) -> Calibration:
    """Fit on the detections of examined pages, those above floor: the crowd of near-zero scores would decide alone."""
    table = tally(pages, accept=0.5)
    keep = table.confidence >= floor
    return fit_calibration(table.confidence[keep], table.at_stamp[keep], table.correct[keep, 0])


def choose_thresholds(pages: Sequence[ExaminedPage], most_review: float = 0.5) -> Thresholds:
    """Accept: three quarters of the way up the thresholds whose F1 is within a point of the best.

    The best itself is a matter of chance, for F1 hardly changes over a third of the scale, and so is where that third
    ends, unless it is told by the F1 that the calibrated confidences promise. What passes and is no signature goes to
    nobody, what stays below and is one to a person: so rather up than down.

    Review: the highest threshold that still recalls what 0.05 recalls, less half a point, but at most a share of
    accept, so that there is always a band in which a person looks, and at least one chance in ten.
    """
    grid = np.round(np.arange(0.05, 0.96, 0.01), 2)
    table = tally(pages, accept=0.5)
    f1, recalled = promised_f1(table, grid), recall(table, grid)
    accept = float(np.quantile(grid[f1 >= f1.max() - 0.01], 0.75))
    review = min(float(grid[recalled >= recalled[0] - 0.005].max()), most_review * accept)
    return Thresholds(accept=round(accept, 2), review=round(min(max(review, _LEAST_REVIEW), accept), 2))


def reliability(confidence: Floats, correct: Bools, bins: int = 10) -> list[dict[str, float]]:
    """For each tenth of the confidence scale: how many detections, their mean confidence, the share that is right."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    rows = []
    for number in range(bins):
        inside = place == number
        if inside.any():
            mean, right = float(confidence[inside].mean()), float(correct[inside].mean())
            rows.append({"count": float(inside.sum()), "confidence": mean, "correct": right})
    return rows


def expected_calibration_error(rows: Sequence[dict[str, float]]) -> float:
    """Mean gap between confidence and truth over the bins of reliability(), weighted by their counts."""
    total = sum(row["count"] for row in rows)
    gaps = sum(row["count"] * abs(row["confidence"] - row["correct"]) for row in rows)
    return gaps / total if total else float("nan")


def _logit(confidence: Floats) -> Floats:
    clipped = np.clip(confidence, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(clipped / (1 - clipped)))


def _sigmoid(value: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-value)))
