"""Whole groups of pages are kept apart, by their names alone."""

from services.trainer.splits import is_held_out, split_of

NAMES = [str(number) for number in range(2000)]


def test_the_held_out_part_is_a_share_and_grows_by_adding() -> None:
    small = {name for name in NAMES if is_held_out(name, 0.1)}
    large = {name for name in NAMES if is_held_out(name, 0.2)}
    assert 140 < len(small) < 260
    assert small < large


def test_about_fifteen_groups_in_a_hundred_are_for_validation() -> None:
    assert 240 < [split_of(name) for name in NAMES].count("val") < 360


def test_training_can_hold_a_part_out_of_what_validation_left_it() -> None:
    trained = [name for name in NAMES if split_of(name) == "train"]
    assert 120 < sum(is_held_out(name, 0.1) for name in trained) < 220
