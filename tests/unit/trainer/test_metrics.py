"""The measures, against hand-made cases and against Ultralytics' own metric code."""

import numpy as np
import pytest

from services.trainer.metrics import (
    IOU_THRESHOLDS,
    ExaminedPage,
    bootstrap,
    bootstrap_difference,
    box_iou,
    match,
    measure,
    recall,
    tally,
)

BOX = (10.0, 10.0, 50.0, 30.0)
AWAY = (200.0, 200.0, 240.0, 220.0)


def page(
    truth: list[tuple[float, ...]],
    found: list[tuple[float, ...]],
    confidence: list[float],
    name: str = "a",
    overlapped: list[int] | None = None,
) -> ExaminedPage:
    return ExaminedPage(
        name=name,
        group=name,
        truth=np.array(truth, dtype=float).reshape(-1, 4),
        overlapped=np.array(overlapped or [-1] * len(truth), dtype=int),
        found=np.array(found, dtype=float).reshape(-1, 4),
        confidence=np.array(confidence, dtype=float),
        at_stamp=np.zeros(len(found), dtype=bool),
    )


def random_pages(seed: int, count: int = 40) -> list[ExaminedPage]:
    """Pages with jittered hits, repeats, misses and false alarms."""
    generator = np.random.default_rng(seed)
    pages = []
    for number in range(count):
        corner = generator.uniform(0, 700, (generator.integers(0, 4), 2))
        truth = np.hstack([corner, corner + generator.uniform(30, 200, corner.shape)])
        kept = truth[generator.random(len(truth)) < 0.85]
        repeated = kept[generator.random(len(kept)) < 0.3]
        near = np.vstack(
            [kept + generator.normal(0, 4, kept.shape), repeated + generator.normal(0, 15, repeated.shape)]
        )
        stray_corner = generator.uniform(0, 700, (generator.integers(0, 3), 2))
        stray = np.hstack([stray_corner, stray_corner + 60])
        found = np.vstack([*near, stray])
        pages.append(page(truth.tolist(), found.tolist(), generator.random(len(found)).tolist(), str(number)))
    return pages


def test_iou_of_halves_and_strangers() -> None:
    iou = box_iou(np.array([[0.0, 0, 10, 10]]), np.array([[0.0, 0, 5, 10], [20, 20, 30, 30], [0, 0, 10, 10]]))
    assert iou.tolist() == [[0.5, 0.0, 1.0]]


def test_a_second_box_on_the_same_signature_is_a_false_alarm() -> None:
    given = match(np.array([BOX]), np.array([BOX, BOX]))
    assert given[:, 0].tolist() == [0, -1]


def test_a_box_goes_to_the_truth_it_covers_best() -> None:
    truth = np.array([[0.0, 0, 100, 100], [0, 20, 100, 120]])
    assert match(truth, np.array([[0.0, 20, 100, 120]]))[:, 0].tolist() == [1]


def test_measures_of_a_small_case_by_hand() -> None:
    pages = [
        page([BOX, AWAY], [BOX], [0.9], "signed", overlapped=[1, 0]),
        page([], [BOX], [0.8], "stamp"),
        page([], [BOX], [0.2], "doubtful"),
        page([BOX], [], [], "missed", overlapped=[1]),
    ]
    measured = measure(tally(pages, accept=0.5))
    assert measured["precision"] == pytest.approx(1 / 2)
    assert measured["recall"] == pytest.approx(1 / 3)
    assert measured["f1"] == pytest.approx(2 / 5)
    assert measured["recall_overlapped"] == pytest.approx(1 / 2)
    assert measured["page_accuracy"] == pytest.approx(2 / 4)
    assert measured["count_accuracy"] == pytest.approx(1 / 4)
    assert measured["false_per_100_unsigned"] == pytest.approx(50.0)
    assert measured["map50"] == pytest.approx(1 / 3, abs=0.01)


def test_a_measure_without_meaning_is_nan_and_no_error() -> None:
    measured = measure(tally([page([BOX], [BOX], [0.9])], accept=0.5))
    assert np.isnan(measured["false_per_100_unsigned"])
    assert np.isnan(measured["recall_overlapped"])


@pytest.mark.parametrize("seed", range(4))
def test_many_thresholds_at_once_are_each_by_itself(seed: int) -> None:
    pages, thresholds = random_pages(seed), np.array([0.1, 0.35, 0.5, 0.8])
    alone = [measure(tally(pages, float(accept)))["recall"] for accept in thresholds]
    assert recall(tally(pages, accept=0.5), thresholds) == pytest.approx(alone)


@pytest.mark.parametrize("seed", range(4))
def test_average_precision_is_that_of_ultralytics(seed: int) -> None:
    import torch
    from ultralytics.engine.validator import BaseValidator
    from ultralytics.utils.metrics import ap_per_class
    from ultralytics.utils.metrics import box_iou as their_iou

    pages = random_pages(seed)
    validator = BaseValidator.__new__(BaseValidator)
    validator.iouv = torch.linspace(0.5, 0.95, 10)
    correct, confidence = [], []
    for one in pages:
        order = np.argsort(-one.confidence, kind="stable")
        iou = their_iou(torch.tensor(one.truth).float(), torch.tensor(one.found[order]).float())
        correct.append(validator.match_predictions(torch.zeros(len(order)), torch.zeros(len(one.truth)), iou).numpy())
        confidence.append(one.confidence[order])
    truth = sum(len(one.truth) for one in pages)
    pooled = np.concatenate(confidence)
    theirs = ap_per_class(np.concatenate(correct), pooled, np.zeros(len(pooled)), np.zeros(truth))[5][0]
    ours = measure(tally(pages, accept=0.5))
    assert 0.2 < ours["map50_95"] < ours["map50"] < 0.95
    assert ours["map50"] == pytest.approx(theirs[0], abs=0.001)
    assert ours["map50_95"] == pytest.approx(theirs.mean(), abs=0.001)


def test_thresholds_are_cocos() -> None:
    assert IOU_THRESHOLDS.tolist() == pytest.approx([0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95])


def test_weighing_a_group_twice_is_having_it_twice() -> None:
    pages = random_pages(1, 6)
    twice = [*pages, *pages[:3]]
    weighted = measure(tally(pages, 0.5), np.array([2.0, 2, 2, 1, 1, 1]))
    assert weighted == pytest.approx(measure(tally(twice, 0.5)), abs=1e-9, nan_ok=True)


def test_one_document_alone_gives_no_interval() -> None:
    intervals = bootstrap(tally([page([BOX], [BOX], [0.9])] * 3, accept=0.5), samples=20)
    assert intervals.keys() == measure(tally([page([BOX], [BOX], [0.9])], accept=0.5)).keys()
    assert np.isnan(list(intervals.values())).all()


def test_intervals_hold_the_value_and_shrink_with_more_pages() -> None:
    few, many = tally(random_pages(2, 20), 0.5), tally(random_pages(2, 200), 0.5)
    widths = []
    for table in (few, many):
        low, high = bootstrap(table, samples=200)["f1"]
        assert low < measure(table)["f1"] < high
        widths.append(high - low)
    assert widths[1] < 0.6 * widths[0]


def test_a_difference_is_told_from_chance_where_two_intervals_are_not() -> None:
    pages = random_pages(2, 60)
    on_a_quarter_right = [
        page(one.truth.tolist(), one.truth.tolist(), [0.9] * len(one.truth), one.name) if number % 4 == 0 else one
        for number, one in enumerate(pages)
    ]
    one, other = tally(on_a_quarter_right, 0.5), tally(pages, 0.5)
    apart = bootstrap(one, samples=200)["f1"][0] - bootstrap(other, samples=200)["f1"][1]
    low, high = bootstrap_difference(one, other, samples=200)["f1"]
    assert apart < 0 < low < measure(one)["f1"] - measure(other)["f1"] < high


def test_a_model_does_not_differ_from_itself_nor_from_one_on_other_pages() -> None:
    table = tally(random_pages(2, 20), 0.5)
    assert set(bootstrap_difference(table, table, samples=20)["f1"]) == {0.0}
    with pytest.raises(ValueError, match="same pages"):
        bootstrap_difference(table, tally(random_pages(3, 20), 0.5))
