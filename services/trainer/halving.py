"""Wide pages cut in two for training, so that they can be shown larger than the pictures trained on are wide.

Production sees a sheet of two papers about as large as each of them would be by itself (docs/decisions/0020).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
        own_width, kept = self.right - self.left, []
        for box in boxes:
            middle, width = box.cx * self.page_width, box.width * self.page_width
            left, right = max(middle - width / 2, self.left), min(middle + width / 2, self.right)
            if right - left >= KEPT_SHARE * width:
                there = ((left + right) / 2 - self.left) / own_width
                kept.append(replace(box, cx=there, width=(right - left) / own_width))
        return kept


def strips(page_width: int, most: int) -> list[Strip]:
    """The whole page where it is no wider than ``most``; else its left and its right end, each that wide."""
    if page_width <= most:
        return [Strip(0, page_width, page_width)]
    return [Strip(0, most, page_width), Strip(page_width - most, page_width, page_width)]
