"""Training on windows of large pages: the scale of the large input at the cost of a small one.

A page at 896 px cut to windows of 640 px costs half of what the whole square would, and little is lost: a quarter of
that square is padding beside an upright page, and a network of convolutions does not mind where a window lies.
"""

from __future__ import annotations

from typing import Any

import torch

UNSCALED_SHARE = 0.4
"""Share of training's pages shown at the very size that production reduces them to, as crisp as there."""

PADDING = 114
"""The grey that Ultralytics lays around pages, in each channel."""

_KEPT = 0.5  # share of a box that must lie in the window for it to remain a label


class WindowCropper:
    """Cuts each image of a batch to a random square window of side px, its boxes with it.

    A share of batches, by chance, is not cut but reduced to that side whole.
    """

    def __init__(self, side: int, whole: float, seed: int) -> None:
        self._side = side
        self._whole = whole
        self._generator = torch.Generator().manual_seed(seed)

    def crop(self, batch: dict[str, Any]) -> dict[str, Any]:
        """A batch as Ultralytics makes it: img (n, 3, h, w), bboxes normalised centre and size, cls, batch_idx."""
        images: torch.Tensor = batch["img"]
        height, width = images.shape[2:]
        if min(height, width) <= self._side:
            return batch
        if torch.rand((), generator=self._generator) < self._whole:
            return {**batch, "img": scaled(images, self._side)}
        corners = self._window_corners(len(images), height, width)
        windows = [
            image[:, top : top + self._side, left : left + self._side]
            for image, (left, top) in zip(images, corners.tolist(), strict=True)
        ]
        owner = batch["batch_idx"].long()
        size = torch.tensor([width, height], device=batch["bboxes"].device)
        boxes, keep = shifted(batch["bboxes"], size, corners.to(size.device)[owner], self._side)
        return {
            **batch,
            "img": torch.stack(windows),
            "bboxes": boxes[keep],
            "cls": batch["cls"][keep],
            "batch_idx": batch["batch_idx"][keep],
        }

    def _window_corners(self, count: int, height: int, width: int) -> torch.Tensor:
        shares = torch.rand((count, 2), generator=self._generator)
        room = torch.tensor([width - self._side, height - self._side])
        return (shares * (room + 1)).long()


def scaled(images: torch.Tensor, side: int) -> torch.Tensor:
    """Square images (n, channels, height, width), made side px wide and high by averages."""
    return torch.nn.functional.interpolate(images, [side, side], mode="bilinear", antialias=True)


def shifted(
    boxes: torch.Tensor, sizes: torch.Tensor, corners: torch.Tensor, side: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes (n, 4) normalised to their images, now to their windows and clipped, and which of them remain.

    sizes, of the images, and corners, the windows' left upper ones, are x and y in px, for each box or for all.
    """
    low = (boxes[:, :2] - boxes[:, 2:] / 2) * sizes - corners
    high = (boxes[:, :2] + boxes[:, 2:] / 2) * sizes - corners
    whole = (high - low).prod(1)
    low, high = low.clamp(0, side), high.clamp(0, side)
    keep = (high - low).prod(1) >= _KEPT * whole
    return torch.cat([(low + high) / 2, high - low], dim=1) / side, keep
