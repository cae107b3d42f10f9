"""What became of the model's boxes in a person's hands."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.correction import CorrectedBox, CorrectionContent
from shared.domain.correction_changes import Change, changes, newly_made
from shared.domain.detection import Box, Detection, Kind, Page

BOX = Box(10, 10, 20, 10)
PAGE = Page(1, 100, 100, (Detection("a", Kind.SIGNATURE, 0.9, BOX), Detection("b", Kind.SIGNATURE, 0.2, BOX)))


def said(*boxes: CorrectedBox) -> CorrectionContent:
    return CorrectionContent(boxes, no_signature=not boxes)


def kept(detection: str | None, box: Box = BOX, kind: Kind = Kind.SIGNATURE) -> CorrectedBox:
    return CorrectedBox(kind, box, detection)


def found(content: CorrectionContent) -> dict[Change, int]:
    return {change: number for change, number in changes(PAGE, content).items() if number}


def test_each_kind_of_change() -> None:
    rounded = Box(10.4, 9.6, 20, 10.9)
    assert found(said(kept("a"), kept("b", rounded))) == {Change.CONFIRMED: 2}
    assert found(said(kept("a"), kept("b", Box(10, 10, 22, 10)))) == {Change.CONFIRMED: 1, Change.MOVED: 1}
    assert found(said(kept("a", kind=Kind.STAMP), kept("b"))) == {Change.CONFIRMED: 1, Change.RELABELLED: 1}
    assert found(said(kept("a"), kept("b"), kept(None))) == {Change.CONFIRMED: 2, Change.ADDED: 1}
    assert found(said()) == {Change.REMOVED: 2}


def test_of_two_boxes_made_from_one_the_second_is_an_addition() -> None:
    assert found(said(kept("a"), kept("a"), kept("b"))) == {Change.CONFIRMED: 2, Change.ADDED: 1}


def test_saving_again_counts_only_what_is_new() -> None:
    first = said(kept("a"))
    assert newly_made(PAGE, first, None) == {Change.CONFIRMED: 1, Change.REMOVED: 1}
    assert newly_made(PAGE, first, first) == {}
    assert newly_made(PAGE, said(kept("a"), kept(None)), first) == {Change.ADDED: 1}
    assert newly_made(PAGE, said(), first) == {Change.REMOVED: 1}


boxes = st.lists(st.builds(kept, st.sampled_from(["a", "b", None]), st.sampled_from([BOX, Box(1, 1, 5, 5)])))


@given(boxes)
def test_every_box_is_accounted_for_once(boxes: Sequence[CorrectedBox]) -> None:
    counts = changes(PAGE, said(*boxes))
    kept_ones = counts[Change.CONFIRMED] + counts[Change.MOVED] + counts[Change.RELABELLED]
    assert kept_ones + counts[Change.ADDED] == len(boxes)
    assert kept_ones + counts[Change.REMOVED] == len(PAGE.detections)
