"""Of some pages only a part is shown: what is labelled there is there whole, in its place."""

import numpy as np
import pytest

from services.trainer.synthesis.close_up import close_up
from services.trainer.synthesis.page import Box, SyntheticPage
from services.trainer.synthesis.sheet import Kind

SIZE = 800, 1000
SIGNED, BESIDE = (200.0, 700.0, 380.0, 760.0), (420.0, 690.0, 600.0, 770.0)


def page_with(*boxes: tuple[Kind, Box]) -> SyntheticPage:
    """A page that tells of every pixel where it lies."""
    rows, columns = np.indices((SIZE[1], SIZE[0]))
    pixels = np.stack([rows % 256, columns % 256, rows // 256 * 16 + columns // 256], axis=-1).astype(np.uint8)
    return SyntheticPage(pixels, boxes, "letter", "en", "office_scan")


def parts_of(page: SyntheticPage, count: int = 40) -> list[SyntheticPage]:
    return [close_up(page, np.random.default_rng(seed)) for seed in range(count)]


def shown(page: SyntheticPage, box: Box) -> np.ndarray:
    x0, y0, x1, y1 = (round(side) for side in box)
    return page.pixels[y0:y1, x0:x1]


def test_a_part_shows_a_signature_whole_wherever_it_lies_in_it() -> None:
    page = page_with(("signature", SIGNED))
    parts = parts_of(page)
    assert all(
        part.shown_as == "close_up" and part.pixels.shape[0] < SIZE[1] and part.pixels.shape[1] < SIZE[0]
        for part in parts
    )
    for part in parts:
        (box,) = part.signatures
        assert (shown(part, box) == shown(page, SIGNED)).all()
    assert np.ptp([part.signatures[0][0] for part in parts]) > 100


@pytest.mark.parametrize("kind", ["signature", "initials", "stamp"])
def test_nothing_labelled_is_cut_through(kind: Kind) -> None:
    page = page_with(("signature", SIGNED), (kind, BESIDE))
    parts = parts_of(page)
    assert {len(part.boxes) for part in parts} == {1, 2}
    for part in parts:
        for _, (x0, y0, x1, y1) in part.boxes:
            assert x1 - x0 > 178
            assert y1 - y0 > 58


def test_handwriting_may_be_cut_and_is_told_where_most_of_it_shows() -> None:
    parts = parts_of(page_with(("signature", SIGNED), ("handwriting", BESIDE)))
    widths = {round(box[2] - box[0]) for part in parts for kind, box in part.boxes if kind == "handwriting"}
    assert 180 in widths
    assert min(widths) >= 90
    assert len(widths) > 1


def test_of_an_unsigned_page_any_part_is_shown() -> None:
    corners = {tuple(part.pixels[0, 0]) for part in parts_of(page_with())}
    assert len(corners) > 30


def test_where_every_part_would_cut_something_the_page_stays_whole() -> None:
    everywhere = page_with(("signature", (10.0, 10.0, 790.0, 990.0)))
    assert close_up(everywhere, np.random.default_rng(1)) is everywhere
