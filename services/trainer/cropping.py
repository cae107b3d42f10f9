"""Training on windows of large pages: the scale of the large input at the cost of a small one.

A page at 896 px cut to windows of 640 px costs half of what the whole square would, and little is lost: a quarter of
that square is padding beside an upright page, and a network of convolutions does not mind where a window lies.
"""

from __future__ import annotations

from typing import Any

import torch

KEPT = 0.5
"""Share of a box that must lie in the window for it to remain a label."""


class WindowCropper:
    """Cuts each image of a batch to a random square window, its boxes with it. side in pixels."""

    def __init__(self, side: int, seed: int) -> None:
        self._side = side
        self._generator = torch.Generator().manual_seed(seed)

    def crop(self, batch: dict[str, Any]) -> dict[str, Any]:
        """A batch as Ultralytics makes it: img (n, 3, h, w), bboxes normalised centre and size, cls, batch_idx."""
        images: torch.Tensor = batch["img"]
        height, width = images.shape[2:]
        if min(height, width) <= self._side:
            return batch
        corners = self._window_corners(len(images), height, width)
        windows = [
            image[:, top : top + self._side, left : left + self._side]
            for image, (left, top) in zip(images, corners.tolist(), strict=True)
        ]
        owner = batch["batch_idx"].long()
        boxes, keep = self._shifted(batch["bboxes"], corners.to(batch["bboxes"].device)[owner], (width, height))
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

    def _shifted(
        self, boxes: torch.Tensor, corners: torch.Tensor, size: tuple[int, int]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Boxes normalised to their windows and clipped, and which of them remain."""
        scale = torch.tensor(size, device=boxes.device)
        low = (boxes[:, :2] - boxes[:, 2:] / 2) * scale - corners
        high = (boxes[:, :2] + boxes[:, 2:] / 2) * scale - corners
        whole = (high - low).prod(1)
        low, high = low.clamp(0, self._side), high.clamp(0, self._side)
        keep = (high - low).prod(1) >= KEPT * whole
        return torch.cat([(low + high) / 2, high - low], dim=1) / self._side, keep
