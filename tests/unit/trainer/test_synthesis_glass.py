"""Some scans show two papers, or a small one by itself: each whole, its marks labelled where they lie now."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from services.trainer.synthesis.glass import LARGEST_PX, on_glass
from services.trainer.synthesis.page import Box, SyntheticPage
from services.trainer.synthesis.sheet import Kind
from services.trainer.synthesis.writing_out import Series

RED, BLUE = (200, 30, 30), (30, 30, 200)
SIGNED, ELSEWHERE = (100.0, 500.0, 300.0, 560.0), (250.0, 80.0, 350.0, 200.0)


def paper(size: tuple[int, int], box: Box, ink: tuple[int, int, int], kind: Kind = "signature") -> SyntheticPage:
    """A light grey paper on which one mark is a rectangle of ink."""
    pixels = np.full((size[1], size[0], 3), 180, np.uint8)
    x0, y0, x1, y1 = map(int, box)
    pixels[y0:y1, x0:x1] = ink
    return SyntheticPage(pixels, ((kind, box),), "letter", "en", "office_scan")


def bilevel(page: SyntheticPage) -> SyntheticPage:
    return replace(page, pixels=np.where(page.pixels.min(axis=2) < 100, 0, 255).astype(np.uint8))


FIRST, SECOND = paper((600, 800), SIGNED, RED), paper((500, 900), ELSEWHERE, BLUE)


def scans_of(first: SyntheticPage, second: SyntheticPage, count: int = 40) -> list[SyntheticPage]:
    return [on_glass(first, lambda: second, np.random.default_rng(seed)) for seed in range(count)]


def is_filled(page: SyntheticPage, box: Box, ink: tuple[int, int, int]) -> bool:
    """Whether a box holds ink of that hue to its sides, and none of it lies outside."""
    hue = np.argmax(ink)
    colours = page.pixels.astype(int)
    inked = colours[..., hue] - np.delete(colours, hue, axis=2).max(axis=2) > 40
    x0, y0, x1, y1 = (round(side) for side in box)
    inside = inked[y0:y1, x0:x1]
    return bool(inside.mean() > 0.9 and inked.sum() <= inside.sum() + 4 * (x1 - x0 + y1 - y0))


def test_marks_are_labelled_where_they_lie_now() -> None:
    scans = scans_of(FIRST, SECOND)
    assert {len(scan.signatures) for scan in scans} == {1, 2}
    assert all(scan.shown_as == "on_glass" for scan in scans)
    for scan in scans:
        for box, ink in zip(scan.signatures, (RED, BLUE), strict=False):
            assert is_filled(scan, box, ink)


def test_papers_keep_their_proportions_and_do_not_cover_one_another() -> None:
    for scan in scans_of(FIRST, SECOND):
        for (x0, y0, x1, y1), (was_x0, was_y0, was_x1, was_y1) in zip(
            scan.signatures, (SIGNED, ELSEWHERE), strict=False
        ):
            assert (x1 - x0) / (y1 - y0) == pytest.approx((was_x1 - was_x0) / (was_y1 - was_y0))
    pairs = [scan.signatures for scan in scans_of(FIRST, SECOND) if len(scan.signatures) == 2]
    assert {"beside" if one[2] < other[0] else "above" for one, other in pairs} == {"beside", "above"}


def test_a_scan_is_no_larger_than_scans_are() -> None:
    large = paper((3000, 4000), SIGNED, RED)
    assert all(max(scan.pixels.shape) <= LARGEST_PX + 1 for scan in scans_of(large, large, 10))


def test_two_bilevel_papers_stay_bilevel_and_one_beside_a_grey_one_does_not() -> None:
    for scan in scans_of(bilevel(FIRST), bilevel(SECOND), 20):
        assert scan.pixels.ndim == 2
        assert set(np.unique(scan.pixels)) <= {0, 255}
    assert {scan.pixels.ndim for scan in scans_of(bilevel(FIRST), SECOND)} == {2, 3}, "a small one lies by itself"


def test_other_kinds_are_labelled_only_where_they_are_known_on_every_paper() -> None:
    initialled = paper((600, 800), SIGNED, RED, "initials")
    unsure = replace(SECOND, only_signatures=True)
    for scan in scans_of(initialled, unsure):
        kinds = [kind for kind, _ in scan.boxes]
        assert kinds == (["signature"] if scan.only_signatures else ["initials"])


def test_the_same_numbers_give_the_same_scan() -> None:
    series = Series(6, Path("nowhere"), long_side=600, on_glass=1.0, close_ups=0.5)
    again = series.page(3)
    assert (series.page(3).pixels == again.pixels).all()
    assert series.page(3).boxes == again.boxes
