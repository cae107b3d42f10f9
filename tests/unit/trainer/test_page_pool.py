"""Pages on the device: boxes follow their pixels through window, scale and tint; the newest replace the oldest."""

import numpy as np
import pytest
import torch

from services.trainer.page_pool import Cut, PagePool, PooledPage
from services.trainer.partial_labels import FULLY_LABELLED

SIDE, WINDOW = 128, 64


def page(width: int, height: int, box: tuple[int, int, int, int], fully_labelled: bool = False) -> PooledPage:
    """A white page with one black rectangle (left, top, width, height), which is what its box encloses."""
    left, top, wide, high = box
    pixels = torch.full((height, width, 3), 255, dtype=torch.uint8)
    pixels[top : top + high, left : left + wide] = 0
    centre = (left + wide / 2) / width, (top + high / 2) / height
    return PooledPage(pixels, np.array([[1, *centre, wide / width, high / height]], np.float32), fully_labelled)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_boxes_follow_their_pixels(rng: np.random.Generator) -> None:
    pages = [page(90, 128, (10 + number, 90 - number, 20, 12)) for number in range(40)]
    batch = PagePool(pages, 0, SIDE, torch.device("cpu")).windows(range(40), Cut(WINDOW, 0.4), rng)
    assert batch["img"].shape == (40, 3, WINDOW, WINDOW)
    assert 10 < len(batch["bboxes"]) < 40
    for box, kind, number in zip(batch["bboxes"], batch["cls"], batch["batch_idx"].long(), strict=True):
        assert int(kind) == 1
        window = batch["img"][number, 0]
        rows, columns = torch.nonzero(window < window.max() / 3, as_tuple=True)
        left, top = (box[:2] - box[2:] / 2) * WINDOW
        right, bottom = (box[:2] + box[2:] / 2) * WINDOW
        seen = torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]).float()
        assert torch.allclose(torch.stack([left, top, right, bottom]), seen, atol=1.5)


def test_many_windows_keep_every_pixel(rng: np.random.Generator) -> None:
    pool = PagePool([page(90, 128, (10, 20, 33, 21))], 0, SIDE, torch.device("cpu"))
    windows = pool.windows([0] * 60, Cut(WINDOW, 0.4), rng)["img"]
    as_they_were = [window for window in windows if window.round().unique().numel() <= 3]  # paper, ink, grey around
    assert 12 <= len(as_they_were) <= 40


def test_boxes_that_lie_mostly_outside_the_window_are_gone(rng: np.random.Generator) -> None:
    pool = PagePool([page(128, 128, (0, 0, 128, 128))], 0, SIDE, torch.device("cpu"))
    batch = pool.windows([0] * 20, Cut(32, 0.0), rng)  # a window of a sixteenth of the page
    assert len(batch["bboxes"]) == 0


def test_a_small_page_lies_whole_in_its_window(rng: np.random.Generator) -> None:
    pool = PagePool([page(30, 40, (5, 5, 10, 10))], 0, SIDE, torch.device("cpu"))
    assert len(pool.windows([0] * 50, Cut(WINDOW, 0.4), rng)["bboxes"]) == 50


def test_a_share_of_windows_shows_whole_pages_reduced_by_averages(rng: np.random.Generator) -> None:
    striped = page(128, 128, (20, 40, 60, 50))
    striped.pixels[::2] = 0  # every other row: by averages an even grey, by single pixels rows of black or white
    pool = PagePool([striped], 0, SIDE, torch.device("cpu"))
    batch = pool.windows([0] * 60, Cut(WINDOW, 0.4, whole=0.5), rng)
    known = torch.tensor([80 / 256 + 20 / 256, 0.5078, 60 / 128, 50 / 128])
    whole = [
        batch["img"][int(number), 0]
        for number, box in zip(batch["batch_idx"], batch["bboxes"], strict=True)
        if torch.allclose(box, known, atol=0.001)
    ]
    assert 18 <= len(whole) <= 42
    for window in whole:
        beside_the_box = window[2:-2, 2:8]
        assert float(beside_the_box.max() - beside_the_box.min()) < 1


def test_around_a_page_there_is_grey(rng: np.random.Generator) -> None:
    pool = PagePool([page(30, 30, (5, 5, 10, 10))], 1, SIDE, torch.device("cpu"))
    pool.add(page(128, 128, (5, 5, 10, 10)))
    pool.add(page(30, 30, (5, 5, 10, 10)))  # where a page of full size lay before
    for window in pool.windows([0, 1], Cut(WINDOW, 0.0), rng)["img"]:
        assert window.unique().numel() > 2
        assert int((window == window.max()).all(0).sum()) <= 30 * 30


def test_the_newest_replace_the_oldest_and_the_kept_stay(rng: np.random.Generator) -> None:
    pool = PagePool([page(64, 64, (1, 1, 9, 9))], 3, SIDE, torch.device("cpu"))
    for _ in range(7):
        pool.add(page(64, 64, (1, 1, 9, 9), fully_labelled=True))
    assert len(pool) == 4
    assert pool.windows(range(4), Cut(WINDOW, 0.0), rng)["im_file"] == ["", *[FULLY_LABELLED] * 3]


def test_the_same_seed_gives_the_same_windows() -> None:
    pool = PagePool([page(90, 120, (10, 20, 30, 12))], 0, SIDE, torch.device("cpu"))
    first, again = (pool.windows([0, 0], Cut(WINDOW, 0.4), np.random.default_rng(3)) for _ in range(2))
    assert torch.equal(first["img"], again["img"])
    assert torch.equal(first["bboxes"], again["bboxes"])
