"""Where on a real page there is room to write."""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from services.trainer.synthesis.desk import Desk

Grey = NDArray[np.uint8]
Grid = NDArray[np.int32]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Ground:
    """Where a page is dark: the integral image of it, and of how many pixels each way one place there stands for."""

    sums: Grid
    step: int

    @classmethod
    def of(cls, grey: Grey) -> Self:
        """A page's, from its grey pixels (h, w)."""
        step = max(1, max(grey.shape) // 320)
        coarse = cv2.erode(grey, np.ones((step, step), np.uint8))[::step, ::step]
        dark = (coarse < float(np.percentile(grey, 85)) - 50).astype(np.uint8)
        return cls(np.asarray(cv2.integral(dark), np.int32), step)

    @property
    def size(self) -> Values:
        """Its width and height in places."""
        return np.array([self.sums.shape[1] - 1, self.sums.shape[0] - 1])

    def cover(self, middle: Values, half: Values) -> float:
        """The share of dark places in a rectangle, given by its middle and half its size in places."""
        x0, y0 = np.clip(middle - half, 0, self.size).astype(int)
        x1, y1 = np.clip(middle + half + 1, 0, self.size).astype(int)
        area = max(1, (x1 - x0) * (y1 - y0))
        dark = self.sums[y1, x1] - self.sums[y0, x1] - self.sums[y1, x0] + self.sums[y0, x0]
        return int(dark) / int(area)


def free_place(ground: Ground, desk: Desk, wide: float, high: float) -> tuple[float, float]:
    """The middle, in mm, of a place so large (mm) with next to nothing on it and something not far off."""
    rng, sheet, limits = desk.rng, desk.sheet, ground.size
    half = np.array([wide, high]) * sheet.scale / ground.step / 2
    best, least = limits / 2, np.inf
    for _ in range(40):
        middle = rng.uniform([0.1, 0.25], [0.9, 0.96]) * limits
        cost = ground.cover(middle, half) + (0.3 if ground.cover(middle, half + 8) < 0.01 else 0.0)
        if cost < least:
            best, least = middle, cost
        if cost < 0.03:
            break
    x, y = best * ground.step / sheet.scale
    return float(x), float(y)
