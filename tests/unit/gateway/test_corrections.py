"""What corrections mean for a verdict, which ones are refused, and which tags of versions fit."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.correction_schemas import CorrectionIn, NextReviewIn
from services.gateway.preconditions import expected_version, tag_of
from services.gateway.problems import Problem
from shared.domain.correction import Author, CorrectedBox, Correction, CorrectionContent, reconsider
from shared.domain.detection import Box, Detection, Kind, Page
from shared.domain.verdict import Requirements, Thresholds, Verdict, Zone, decide

NOBODY = Author(uuid4(), "nobody")
BOX = Box(10, 10, 20, 10)
LOWER_HALF = Requirements(1, (Zone(-1, Box(0, 0.5, 1, 0.5), 1),))


def page(*confidences: float, number: int = 1, kind: Kind = Kind.SIGNATURE) -> Page:
    found = (Detection(f"p{number}-{index}", kind, one, BOX) for index, one in enumerate(confidences))
    return Page(number, 100, 100, tuple(found))


def correction(number: int, *boxes: Box, kind: Kind = Kind.SIGNATURE) -> dict[int, Correction]:
    content = CorrectionContent(tuple(CorrectedBox(kind, box) for box in boxes), no_signature=not boxes)
    return {number: Correction(number, 1, NOBODY, datetime.now(UTC), content)}


confidences = st.lists(st.floats(0.0, 1.0), max_size=6)
thresholds = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(lambda two: Thresholds(max(two), min(two)))


@given(st.lists(confidences, min_size=1, max_size=3), thresholds, st.integers(0, 4))
def test_without_corrections_nothing_changes(found: list[list[float]], limits: Thresholds, wanted: int) -> None:
    pages = [page(*one, number=number) for number, one in enumerate(found, 1)]
    asked = Requirements(wanted, (Zone(1, Box(0, 0, 1, 1), 1),))
    decision = decide(pages, asked, limits)
    assert reconsider(decision, pages, {}, asked) == decision


@given(st.lists(confidences, min_size=1, max_size=3), thresholds, st.integers(0, 4))
def test_with_every_page_corrected_nothing_is_left_to_review(
    found: list[list[float]], limits: Thresholds, wanted: int
) -> None:
    pages = [page(*one, number=number) for number, one in enumerate(found, 1)]
    asked = Requirements(wanted)
    decision = decide(pages, asked, limits)
    said = {number: correction(number, BOX)[number] for number in range(1, len(pages) + 1)}
    corrected = reconsider(decision, pages, said, asked)
    assert corrected.count == len(pages)
    assert corrected.verdict is (Verdict.SIGNED if len(pages) >= wanted else Verdict.UNSIGNED)


def test_a_confirmed_box_decides_and_a_removed_one_too() -> None:
    pages = [page(0.2), page(number=2)]
    decision = decide(pages, Requirements(), Thresholds(0.3, 0.1))
    assert decision.verdict is Verdict.REVIEW
    assert reconsider(decision, pages, correction(1, BOX), Requirements()).verdict is Verdict.SIGNED
    assert reconsider(decision, pages, correction(1), Requirements()).verdict is Verdict.UNSIGNED
    assert reconsider(decision, pages, correction(2), Requirements()) == decision


def test_only_signatures_count_and_zones_see_the_new_boxes() -> None:
    pages = [page(0.9)]
    decision = decide(pages, LOWER_HALF, Thresholds(0.3, 0.1))
    assert decision.verdict is Verdict.UNSIGNED
    low, high = Box(10, 70, 20, 10), Box(10, 10, 20, 10)
    assert reconsider(decision, pages, correction(1, low), LOWER_HALF).verdict is Verdict.SIGNED
    assert reconsider(decision, pages, correction(1, high), LOWER_HALF).verdict is Verdict.UNSIGNED
    assert reconsider(decision, pages, correction(1, low, kind=Kind.STAMP), LOWER_HALF).verdict is Verdict.UNSIGNED


class TestFaults:
    @pytest.mark.parametrize("box", [Box(0, 0, 100, 100), Box(-0.4, 0, 10, 10), Box(90, 90, 10.4, 1)])
    def test_boxes_on_the_page(self, box: Box) -> None:
        assert CorrectionContent((CorrectedBox(Kind.SIGNATURE, box),), no_signature=False).fault(page()) is None

    @pytest.mark.parametrize("box", [Box(-1, 0, 10, 10), Box(95, 0, 10, 10), Box(0, 0, 0.5, 10), Box(0, 99, 5, 5)])
    def test_boxes_beyond_it(self, box: Box) -> None:
        fault = CorrectionContent((CorrectedBox(Kind.SIGNATURE, box),), no_signature=False).fault(page())
        assert fault is not None
        assert "100 x 100" in fault

    def test_no_signature_is_said_on_purpose_and_never_beside_one(self) -> None:
        stamp = CorrectedBox(Kind.STAMP, BOX)
        signature = replace(stamp, kind=Kind.SIGNATURE)
        assert CorrectionContent((stamp,), no_signature=True).fault(page()) is None
        assert CorrectionContent((), no_signature=False).fault(page()) is not None
        assert CorrectionContent((stamp,), no_signature=False).fault(page()) is not None
        assert CorrectionContent((signature,), no_signature=True).fault(page()) is not None

    def test_only_detections_of_this_page_can_be_made_from(self) -> None:
        of_page = CorrectedBox(Kind.SIGNATURE, BOX, "p1-0")
        assert CorrectionContent((of_page,), no_signature=False).fault(page(0.5)) is None
        assert "p1-0" in str(CorrectionContent((of_page,), no_signature=False).fault(page()))


class TestTags:
    @pytest.mark.parametrize(
        ("header", "expected"),
        [('"3"', 3), (' "3" ', 3), ('"1", "3"', 3), ('W/"3"', -1), ('"2"', -1), ("3", -1), ("", -1), ("*", None)],
    )
    def test_what_a_writer_expects(self, header: str, expected: int | None) -> None:
        assert expected_version(header, 3) == expected

    def test_a_writer_must_expect_something(self) -> None:
        with pytest.raises(Problem) as raised:
            expected_version(None, 0)
        assert raised.value.status == 428

    def test_a_reader_gets_what_a_writer_shows(self) -> None:
        assert expected_version(tag_of(7), 7) == 7


@pytest.mark.parametrize("model", [CorrectionIn, NextReviewIn])
def test_examples_fit_their_schemas(model: type[CorrectionIn | NextReviewIn]) -> None:
    examples = model.model_json_schema()["examples"]
    assert examples
    for example in examples:
        model.model_validate(example)
