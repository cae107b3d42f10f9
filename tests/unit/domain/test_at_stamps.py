"""Which signatures count as lying at a stamp."""

from shared.domain.at_stamps import SURE_STAMP, at_stamps
from shared.domain.detection import Box, Detection, Kind

STAMP = Box(100, 100, 80, 80)
UNDER, BESIDE, APART = Box(120, 120, 40, 20), Box(170, 90, 90, 30), Box(180, 100, 60, 30)


def found(kind: Kind, box: Box, confidence: float = 0.4) -> Detection:
    return Detection("p1-1", kind, confidence, box)


def test_a_signature_under_a_stamp_or_across_its_edge_lies_at_it_and_one_that_only_borders_on_it_does_not() -> None:
    signatures = [found(Kind.SIGNATURE, box) for box in (UNDER, BESIDE, APART)]
    assert at_stamps([*signatures, found(Kind.STAMP, STAMP)]) == [True, True, False, False]


def test_what_is_hardly_a_stamp_is_none() -> None:
    signature = found(Kind.SIGNATURE, UNDER)
    assert at_stamps([signature, found(Kind.STAMP, STAMP, SURE_STAMP)]) == [True, False]
    assert at_stamps([signature, found(Kind.STAMP, STAMP, SURE_STAMP - 0.01)]) == [False, False]


def test_neither_initials_nor_stamps_lie_at_stamps() -> None:
    assert at_stamps([found(Kind.INITIALS, UNDER), found(Kind.STAMP, UNDER), found(Kind.STAMP, STAMP)]) == [False] * 3
