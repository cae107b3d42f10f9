"""Several looks at one page become one set of boxes."""

import numpy as np
import pytest

from services.detector.yolo.boxes import NO_RIVALS, RawBoxes
from services.detector.yolo.looks import agreed

FLOOR = 0.01
Row = tuple[float, float, float, float, float, int]


def look(*rows: Row) -> RawBoxes:
    """Boxes given as (x1, y1, x2, y2, confidence, class)."""
    table = np.array(rows, dtype=np.float32).reshape(-1, 6)
    return RawBoxes(table[:, :4], table[:, 4], table[:, 5].astype(np.intp))


def both(first: RawBoxes, second: RawBoxes, rivals: dict[int, int] | None = None) -> RawBoxes:
    return agreed([first, second], FLOOR, 0.5, rivals or NO_RIVALS)


def test_one_look_is_taken_at_its_word() -> None:
    only = look((0, 0, 10, 10, 0.9, 0))
    assert agreed([only], FLOOR, 0.5, NO_RIVALS) is only


def test_what_both_see_has_their_mean_confidence_and_lies_between_their_boxes() -> None:
    seen = both(look((0, 0, 100, 40, 0.9, 0)), look((10, 0, 100, 40, 0.3, 0)))
    assert seen.confidences == pytest.approx([0.6])
    np.testing.assert_allclose(seen.corners, [[2.5, 0, 100, 40]], rtol=1e-5)


def test_what_only_one_sees_counts_half() -> None:
    seen = both(look((0, 0, 10, 10, 0.9, 0)), look((200, 200, 220, 220, 0.5, 0)))
    assert seen.confidences == pytest.approx([(0.9 + FLOOR) / 2, (0.5 + FLOOR) / 2])


def test_a_look_gives_each_object_one_box() -> None:
    """Two signatures side by side, of which one look sees a single wide box: it counts for the nearer one only."""
    seen = both(look((0, 0, 60, 40, 0.8, 0), (50, 0, 110, 40, 0.7, 0)), look((0, 0, 70, 40, 0.9, 0)))
    assert seen.confidences == pytest.approx([0.85, (0.7 + FLOOR) / 2])


def test_kinds_are_told_apart() -> None:
    seen = both(look((0, 0, 100, 100, 0.8, 2)), look((0, 0, 100, 100, 0.6, 0)))
    assert list(seen.classes) == [2, 0]


def test_looks_that_disagree_on_rivals_leave_one() -> None:
    seen = both(look((0, 0, 100, 40, 0.8, 0)), look((2, 0, 100, 40, 0.5, 1)), {1: 0})
    assert list(seen.classes) == [0]


def test_nothing_and_nothing_is_nothing() -> None:
    assert len(both(look(), look())) == 0
    assert len(both(look(), look((0, 0, 10, 10, 0.9, 0)))) == 1
