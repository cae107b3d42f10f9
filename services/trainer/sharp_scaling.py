"""Scaling that keeps training pages as sharp as production's.

Ultralytics scales and moves a page in one warp, which blurs it at any scale and jags it where it shrinks. Production
reduces a page by averages and leaves it at that: a network trained on blurred strokes draws its boxes too large there.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from ultralytics.data.augment import Compose, RandomPerspective

from services.trainer.cropping import PADDING, UNSCALED_SHARE


class SharpScaling(RandomPerspective):
    """Scales a page by averages, or not at all, and moves it by whole pixels."""

    def get_params(self, labels: dict[str, Any]) -> dict[str, Any]:
        """Draw a scale and a place: M, the 3 x 3 matrix of both, scale, size and orig_shape, as Ultralytics does."""
        height, width = labels["img"].shape[:2]
        size = self.size or (width, height)
        whether, by, *to = torch.rand(4).tolist()
        factor = 1.0 if whether < UNSCALED_SHARE else 1 + self.scale * (2 * by - 1)
        scaled = np.maximum(1, np.rint(np.array([width, height]) * factor))
        middle = 0.5 + self.translate * (2 * np.array(to) - 1)
        matrix = np.diag([*(scaled / (width, height)), 1.0]).astype(np.float32)
        matrix[:2, 2] = np.rint(size * middle - scaled / 2)
        return {"M": matrix, "scale": factor, "orig_shape": (height, width), "size": size}

    def apply_image(self, labels: dict[str, Any], params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Lay the scaled page on a sheet of the size given."""
        assert params is not None
        matrix, page = params["M"], labels["img"]
        scaled = tuple(np.rint(np.diag(matrix)[:2] * page.shape[1::-1]).astype(int))
        if scaled != page.shape[1::-1]:
            shrinks = params["scale"] < 1
            page = cv2.resize(page, scaled, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        move = np.hstack([np.eye(2), matrix[:2, 2:]])
        sheet = cv2.warpAffine(page, move, params["size"], flags=cv2.INTER_NEAREST, borderValue=(PADDING,) * 3)
        return {**labels, "img": sheet, "resized_shape": sheet.shape[:2]}


def scale_sharply(transforms: Compose) -> None:
    """Put SharpScaling in the place of Ultralytics' warp, with its scale, movement and size."""
    for place, step in enumerate(transforms.transforms):
        if isinstance(step, Compose):
            scale_sharply(step)
        elif type(step) is RandomPerspective:
            transforms.transforms[place] = SharpScaling(translate=step.translate, scale=step.scale, size=step.size)
