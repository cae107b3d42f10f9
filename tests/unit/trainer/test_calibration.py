"""Calibration undoes a known distortion; thresholds fall where they should."""

import numpy as np
import pytest

from services.trainer.calibration import (
    choose_thresholds,
    corrected,
    expected_calibration_error,
    fit_calibration,
    reliability,
)
from services.trainer.dataset import DatasetError
from services.trainer.metrics import ExaminedPage, measure, promised_f1, tally
from shared.domain.model_version import Calibration

NEVER = np.zeros(500, dtype=bool)


def logit(share: np.ndarray) -> np.ndarray:
    return np.log(share / (1 - share))


def test_a_known_distortion_is_undone() -> None:
    generator = np.random.default_rng(3)
    true_share = generator.uniform(0.02, 0.98, 20_000)
    correct = generator.random(20_000) < true_share
    at_stamp = generator.random(20_000) < 0.2
    shown = 1 / (1 + np.exp(-(logit(true_share) - 0.8 - 0.9 * at_stamp) / 1.7))
    fitted = fit_calibration(shown, at_stamp, correct)
    assert fitted.slope == pytest.approx(1.7, abs=0.08)
    assert fitted.offset == pytest.approx(0.8, abs=0.08)
    assert fitted.at_stamps == pytest.approx(0.9, abs=0.12)
    before = expected_calibration_error(reliability(shown, correct))
    after = expected_calibration_error(reliability(corrected(fitted, shown, at_stamp), correct))
    assert before > 0.1
    assert after < 0.02


def test_few_detections_change_little() -> None:
    fitted = fit_calibration(np.array([0.7, 0.6]), NEVER[:2], np.array([True, True]))
    assert abs(fitted.slope - 1) < 0.2
    assert 0 < fitted.offset < 0.4
    assert fitted.at_stamps == 0, "of what was never seen nothing is believed"


def test_perfect_separation_gives_finite_numbers() -> None:
    confidence = np.concatenate([np.full(200, 0.9), np.full(200, 0.1)])
    fitted = fit_calibration(confidence, NEVER[:400], confidence > 0.5)
    assert np.isfinite([fitted.slope, fitted.offset]).all()
    assert fitted.slope > 1


def test_high_scores_that_are_half_wrong_are_lowered() -> None:
    confidence, correct = np.full(100, 0.97), np.arange(100) % 2 == 0
    fitted = fit_calibration(confidence, NEVER[:100], correct)
    assert 0 < fitted.slope < 2
    assert fitted.confidence(0.97) == pytest.approx(0.5, abs=0.06)


def test_scores_that_say_the_opposite_are_refused() -> None:
    confidence = np.concatenate([np.full(200, 0.9), np.full(200, 0.1)])
    with pytest.raises(DatasetError, match="less often right the surer"):
        fit_calibration(confidence, NEVER[:400], confidence < 0.5)


def test_calibration_keeps_the_order() -> None:
    shown = np.linspace(0.001, 0.999, 500)
    assert (np.diff(corrected(Calibration(0.6, -1.0, 2.0), shown, NEVER)) > 0).all()
    assert (np.diff(corrected(Calibration(0.6, -1.0, 2.0), shown, ~NEVER)) > 0).all()


def pages_with(hits: list[float], alarms: list[float]) -> list[ExaminedPage]:
    box, none = np.array([[0.0, 0, 10, 10]]), np.zeros((0, 4))
    signed = [
        ExaminedPage(f"s{i}", f"s{i}", box, np.array([-1]), box, np.array([c]), NEVER[:1]) for i, c in enumerate(hits)
    ]
    rest = [
        ExaminedPage(f"u{i}", f"u{i}", none, np.zeros(0, dtype=int), box, np.array([c]), NEVER[:1])
        for i, c in enumerate(alarms)
    ]
    return signed + rest


def test_accept_lies_between_signatures_and_false_alarms() -> None:
    chosen = choose_thresholds(pages_with(hits=[0.8, 0.85, 0.9, 0.95], alarms=[0.1, 0.2, 0.3]))
    assert 0.3 < chosen.accept < 0.8
    assert chosen.review <= chosen.accept / 2


def test_review_goes_down_to_the_faintest_signature() -> None:
    chosen = choose_thresholds(pages_with(hits=[0.12] + [0.9] * 9, alarms=[0.2, 0.2, 0.3]))
    assert chosen.accept > 0.3
    assert chosen.review <= 0.12


def examined(seed: int, pages: int = 500) -> list[ExaminedPage]:
    """Pages with one box each that is a signature as often as its confidence says: most surely one, or surely none."""
    generator = np.random.default_rng(seed)
    confidence = generator.beta(0.4, 0.4, pages)
    is_one = generator.random(pages) < confidence
    return pages_with(hits=list(confidence[is_one]), alarms=list(confidence[~is_one]))


def test_the_f1_that_confidences_promise_is_kept_where_they_say_what_is_right() -> None:
    table, grid = tally(examined(0, pages=20_000), accept=0.5), np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    kept = [measure(tally(examined(0, pages=20_000), float(accept)))["f1"] for accept in grid]
    assert promised_f1(table, grid) == pytest.approx(kept, abs=0.01)


def test_other_pages_of_the_same_sort_hardly_move_accept() -> None:
    chosen = [choose_thresholds(examined(seed)).accept for seed in range(12)]
    assert max(chosen) - min(chosen) <= 0.06
