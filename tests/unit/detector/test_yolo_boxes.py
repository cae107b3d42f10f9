import numpy as np
import pytest

from services.detector.yolo.arrays import Floats
from services.detector.yolo.boxes import overlaps, read_boxes


def raw(*boxes: tuple[float, ...], anchors: int = 50) -> Floats:
    """Network output [4 + classes, anchors] with the given (cx, cy, w, h, score, score…) at random anchors."""
    output = np.zeros((len(boxes[0]), anchors), dtype=np.float32)
    places = np.random.default_rng(3).permutation(anchors)[: len(boxes)]
    output[:, places] = np.array(boxes, dtype=np.float32).T
    return output


def test_reads_centre_and_size_and_orders_by_confidence() -> None:
    boxes = read_boxes(raw((100, 50, 20, 10, 0.4), (300, 200, 40, 60, 0.9)), 0.25, 0.5)
    np.testing.assert_allclose(boxes.confidences, [0.9, 0.4], atol=1e-6)
    np.testing.assert_allclose(boxes.corners, [[280, 170, 320, 230], [90, 45, 110, 55]])


def test_unlikely_boxes_are_left_out() -> None:
    assert len(read_boxes(raw((100, 50, 20, 10, 0.24)), 0.25, 0.5)) == 0
    assert len(read_boxes(raw((100, 50, 20, 10, 0.25)), 0.25, 0.5)) == 1


def test_of_boxes_on_one_object_the_surest_stays() -> None:
    boxes = read_boxes(
        raw((100, 100, 40, 40, 0.6), (104, 100, 40, 40, 0.8), (108, 100, 40, 40, 0.7), (200, 100, 40, 40, 0.5)),
        0.1,
        0.5,
    )
    np.testing.assert_allclose(boxes.confidences, [0.8, 0.5], atol=1e-6)


def test_its_edges_are_the_mean_of_all_that_were_about_the_same_place() -> None:
    boxes = read_boxes(raw((100, 100, 40, 40, 0.6), (103, 100, 40, 40, 0.3), (118, 100, 40, 40, 0.5)), 0.1, 0.5)
    np.testing.assert_allclose(boxes.corners, [[81, 80, 121, 120], [98, 80, 138, 120]], rtol=1e-5)


def test_a_box_dropped_drops_no_others() -> None:
    """0.9 covers 0.8, and 0.8 covers 0.7; but 0.9 does not cover 0.7, which therefore stays."""
    boxes = read_boxes(raw((0, 0, 30, 30, 0.9), (8, 0, 30, 30, 0.8), (16, 0, 30, 30, 0.7)), 0.1, 0.5)
    np.testing.assert_allclose(boxes.confidences, [0.9, 0.7], atol=1e-6)


def test_boxes_of_different_kinds_may_lie_on_each_other() -> None:
    boxes = read_boxes(raw((100, 100, 40, 40, 0.9, 0.1), (100, 100, 40, 40, 0.1, 0.8)), 0.25, 0.5)
    assert list(boxes.classes) == [0, 1]


def test_of_kinds_that_exclude_each_other_the_surer_stays() -> None:
    seen = raw((100, 100, 40, 40, 0.4, 0.1, 0), (102, 100, 40, 40, 0.1, 0.8, 0), (100, 100, 40, 40, 0, 0, 0.7))
    assert list(read_boxes(seen, 0.25, 0.5, {1: 0}).classes) == [1, 2]
    assert sorted(read_boxes(seen, 0.25, 0.5).classes) == [0, 1, 2]


def test_exports_that_dropped_overlaps_themselves_are_read_too() -> None:
    output = np.zeros((300, 6), dtype=np.float32)
    output[0] = [10, 20, 30, 40, 0.3, 1]
    output[1] = [50, 60, 70, 80, 0.9, 0]
    boxes = read_boxes(output, 0.25, 0.5)
    np.testing.assert_allclose(boxes.corners, [[50, 60, 70, 80], [10, 20, 30, 40]])
    assert list(boxes.classes) == [0, 1]


def test_a_model_sure_of_everything_costs_bounded_work() -> None:
    noise = np.random.default_rng(0).random((5, 8400), dtype=np.float32) * 600
    noise[4] = 0.9
    assert len(read_boxes(noise, 0.25, 0.5)) <= 1000


def test_overlap_is_intersection_over_union() -> None:
    one = np.array([0, 0, 10, 10], dtype=np.float32)
    others = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30], [5, 5, 5, 5]], dtype=np.float32)
    assert overlaps(one, others) == pytest.approx([1, 1 / 3, 0, 0])
