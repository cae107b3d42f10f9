"""A series shows some of its pages in another way, in parts or on the glass, and the others as without."""

from pathlib import Path

import pytest

from services.trainer.synthesis.page import make_page
from services.trainer.synthesis.writing_out import Series


@pytest.mark.parametrize(
    ("series", "shown_as"),
    [
        (Series(5, Path("nowhere"), long_side=600, close_ups=0.5), "close_up"),
        (Series(5, Path("nowhere"), long_side=600, on_glass=0.5), "on_glass"),
    ],
    ids=["parts", "glass"],
)
def test_some_pages_are_shown_in_another_way_and_the_others_as_without(series: Series, shown_as: str) -> None:
    pages = [series.page(number) for number in range(16)]
    assert 3 <= sum(page.shown_as is not None for page in pages) <= 13
    assert {page.shown_as for page in pages} == {shown_as, None}
    for number, page in enumerate(pages):
        alone = make_page(5, number, 600)
        if page.shown_as is None:
            assert (page.pixels == alone.pixels).all()
            assert page.boxes == alone.boxes
        assert (page.recipe, page.language, page.scanner) == (alone.recipe, alone.language, alone.scanner)
