"""Wide pages cut in two for training, so that they can be shown larger than the pictures trained on are wide.

Production sees a sheet of two papers about as large as each of them would be by itself (docs/decisions/0020).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.trainer.dataset import LabelledBox

KEPT_SHARE = 0.5
"""Share of a box that must lie in what is cut out of a page for it to remain a label."""


@dataclass(frozen=True)
class Strip:
    """A part of a page in all its height: from ``left`` to ``right``, in pixels of a page ``page_width`` wide."""

    left: int
    right: int
    page_width: int

    def seen(self, boxes: Sequence[LabelledBox]) -> list[LabelledBox]:
        """The boxes of the page that lie in the strip by at least a half, cut at its edges, as shares of the strip."""
        return [box for one in boxes if (box := self._cut(one)).width >= KEPT_SHARE * one.width * self._enlarging]

    @property
    def _enlarging(self) -> float:
        return self.page_width / (self.right - self.left)

    def _cut(self, box: LabelledBox) -> LabelledBox:
        sides = box.cx - box.width / 2, box.cx + box.width / 2
        left, right = (min(max((x * self.page_width - self.left) / (self.right - self.left), 0), 1) for x in sides)
        return LabelledBox(box.kind, (left + right) / 2, box.cy, right - left, box.height, box.overlapped)


def strips(page_width: int, most: int) -> list[Strip]:
    """The whole page where it is no wider than ``most``; else its left and its right end, each that wide."""
    if page_width <= most:
        return [Strip(0, page_width, page_width)]
    return [Strip(0, most, page_width), Strip(page_width - most, page_width, page_width)]
