"""Which part of the data a group of pages belongs to: told by its name alone, so the answer never changes."""

from __future__ import annotations

import hashlib

_VAL_SHARE = 0.15


def split_of(group: str) -> str:
    """The split of a group whose data names none: "train" or, for 15 groups in a hundred, "val"."""
    # Not by the number that is_held_out goes by: training could else hold nothing out of what is left to it.
    return "val" if _place("split:" + group) < _VAL_SHARE else "train"


def is_held_out(group: str, share: float) -> bool:
    """Whether training keeps a group of its split for choices."""
    return _place(group) < share


def _place(name: str) -> float:
    """A number from 0 to 1, as if drawn by chance."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) / 2**32
