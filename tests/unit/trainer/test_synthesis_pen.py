"""The pen model: strokes go where they are aimed, faster writing is rounder, hands write what they are told."""

import numpy as np
import pytest

from services.trainer.synthesis.hand import neat_hand, with_haste, write
from services.trainer.synthesis.ink import Ink, lay_ink, outline, rasterise
from services.trainer.synthesis.lognormal import Rhythm, pen_path
from services.trainer.synthesis.signature import initials, signature

ZIGZAG = np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 0.0], [3.0, 2.0], [4.0, 0.0]])


def test_the_pen_starts_and_ends_on_its_plan() -> None:
    path, speed = pen_path(ZIGZAG, Rhythm())
    assert np.allclose(path[0], ZIGZAG[0], atol=0.02)
    assert np.allclose(path[-1], ZIGZAG[-1], atol=0.05)
    assert len(speed) == len(path)


def test_a_hurried_pen_cuts_its_corners() -> None:
    calm, _ = pen_path(ZIGZAG, Rhythm(onset=0.3))
    hurried, _ = pen_path(ZIGZAG, Rhythm(onset=0.05))
    assert np.ptp(hurried[:, 1]) < 0.8 * np.ptp(calm[:, 1])


def test_a_plan_without_movement_is_a_dot() -> None:
    path, speed = pen_path(np.array([[1.0, 1.0], [1.0, 1.0]]), Rhythm())
    assert np.allclose(path, 1.0)
    assert not speed.any()


def test_longer_words_take_more_room_and_haste_keeps_it() -> None:
    rng = np.random.default_rng(0)
    hand = neat_hand(rng)
    short, long = (
        max(stroke.points[:, 0].max() for stroke in write(text, hand, rng)) for text in ("Lu", "Lu et approuvé")
    )
    hurried = max(stroke.points[:, 0].max() for stroke in write("Lu et approuvé", with_haste(hand, 1.5), rng))
    assert long > 3 * short
    assert hurried == pytest.approx(long, rel=0.3)


@pytest.mark.parametrize("draw", [signature, initials])
def test_no_two_people_sign_alike_and_one_seed_signs_the_same(draw: type) -> None:
    patches = [rasterise(draw(np.random.default_rng(seed), "Claire Moreau"), (120, 60), 1.5) for seed in (1, 2, 1)]
    assert np.array_equal(patches[0], patches[2])
    assert patches[0].shape != patches[1].shape or not np.array_equal(patches[0], patches[1])


@pytest.mark.parametrize("seed", range(8))
def test_a_signature_fits_its_box_and_fills_it_one_way(seed: int) -> None:
    alpha = rasterise(signature(np.random.default_rng(seed), "Thomas Whitfield"), (150, 60), 1.5)
    height, width = alpha.shape
    margin = 2 * 2.5 + 2
    assert width <= 150 + margin
    assert height <= 60 + margin
    assert width >= 140 or height >= 52


def test_ink_darkens_only_where_it_lies_and_never_wraps_round() -> None:
    page = np.full((40, 40, 3), 200, np.uint8)
    lay_ink(page, Ink(np.full((10, 10), 255, np.uint8), (0, 0, 120)), 35, -5)
    assert (page[:5, 35:] == [0, 0, 94]).all()
    assert (page[5:] == 200).all()
    assert (page[:, :35] == 200).all()


def test_invisible_ink_has_no_outline() -> None:
    assert outline(np.full((5, 5), 20, np.uint8)).shape == (0, 2)
