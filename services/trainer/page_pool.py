"""Pages held on the training device, and random windows cut from them there.

A GPU trains on many hundred windows a second, more than a machine's cores could decode, scale and hand over. So the
pages lie on the device once, and it cuts, scales and tints the windows itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from services.trainer.cropping import PADDING, UNSCALED_SHARE, scaled, shifted
from services.trainer.partial_labels import FULLY_LABELLED

_MARGIN = 0.05  # share of a window that may lie beyond the page's edge
_TINT = (0.3, 1.7)  # how much of its colour a window keeps
_LIGHT = (0.6, 1.4)


@dataclass(frozen=True)
class PooledPage:
    """A page ready for training.

    pixels: RGB uint8 (height, width, 3). boxes: (n, 5) float32 of kind and normalised centre and size.
    fully_labelled tells whether every kind is marked, or signatures alone.
    """

    pixels: torch.Tensor
    boxes: NDArray[np.float32]
    fully_labelled: bool


@dataclass(frozen=True)
class Cut:
    """How windows are cut: their side in px; pages are scaled by 1 ± scale or not at all, but for a share that is shown
    whole, reduced to the side: as a look at a smaller size will see it."""

    side: int
    scale: float
    whole: float = 0.0


class _Slot(NamedTuple):
    size: tuple[int, int]
    boxes: NDArray[np.float32]
    fully_labelled: bool


class PagePool:
    """Pages of at most side x side px on a device: some kept for good, and room where the newest replace the oldest."""

    def __init__(self, kept: Sequence[PooledPage], room: int, side: int, device: torch.device) -> None:
        self.kept = len(kept)
        self.room = room
        self._side = side
        self._next = 0
        self._pixels = torch.empty((len(kept) + room, 3, side, side), dtype=torch.uint8, device=device)
        self._slots: list[_Slot] = []
        for page in kept:
            self._place(len(self._slots), page)

    def __len__(self) -> int:
        return len(self._slots)

    def add(self, page: PooledPage) -> None:
        """Take in a page; once the room is full, in place of the oldest."""
        self._place(self.kept + self._next, page)
        self._next = (self._next + 1) % self.room

    def _place(self, slot: int, page: PooledPage) -> None:
        height, width = page.pixels.shape[:2]
        held = self._pixels[slot].fill_(PADDING)
        held[:, :height, :width] = page.pixels.to(held.device, non_blocking=True).permute(2, 0, 1)
        self._slots[slot : slot + 1] = [_Slot((width, height), page.boxes, page.fully_labelled)]

    def windows(self, chosen: Sequence[int], cut: Cut, rng: np.random.Generator) -> dict[str, Any]:
        """A batch as Ultralytics takes it: one window of each chosen page.

        img (n, 3, side, side) float in 0 to 255, cls (boxes, 1), bboxes (boxes, 4) normalised, batch_idx, im_file.
        """
        pages = [self._slots[slot] for slot in chosen]
        whole = rng.random((len(pages), 1)) < cut.whole
        zooms = np.where(whole, cut.side / self._side, _zooms(len(pages), cut.scale, rng))
        sheets = np.rint(self._side * zooms).astype(int)
        sizes = np.array([page.size for page in pages]) * sheets / self._side
        corners = np.rint(_corners(sizes, cut.side, np.where(whole, 0, _MARGIN), rng)).astype(int)
        places = zip(chosen, sheets[:, 0].tolist(), corners.tolist(), strict=True)
        pixels = torch.stack([self._window(slot, sheet, corner, cut.side) for slot, sheet, corner in places])
        owner = np.repeat(np.arange(len(pages)), [len(page.boxes) for page in pages])
        boxes = torch.from_numpy(np.concatenate([page.boxes for page in pages]))
        moved, remain = shifted(
            boxes[:, 1:], torch.from_numpy(sizes[owner]), torch.from_numpy(corners[owner]), cut.side
        )
        return {
            "img": _tinted(pixels, rng),
            "cls": boxes[remain, :1],
            "bboxes": moved[remain].float(),
            "batch_idx": torch.from_numpy(owner)[remain].float(),
            "im_file": [FULLY_LABELLED if page.fully_labelled else "" for page in pages],
        }

    def _window(self, slot: int, sheet: int, corner: Sequence[int], side: int) -> torch.Tensor:
        """Pixels (3, side, side) at a corner (x, y) of a page's square, made sheet px wide and high by averages."""
        pixels = self._pixels[slot]
        if sheet != self._side:
            pixels = scaled(pixels[None].float(), sheet)[0]
        window = torch.full((3, side, side), float(PADDING), device=pixels.device)
        (left, top), (right, bottom) = np.maximum(corner, 0), np.minimum(np.add(corner, side), sheet)
        x, y = corner
        window[:, top - y : bottom - y, left - x : right - x] = pixels[:, top:bottom, left:right]
        return window


def _zooms(count: int, scale: float, rng: np.random.Generator) -> NDArray[np.float64]:
    zooms = rng.uniform(1 - scale, 1 + scale, (count, 1))
    zooms[rng.random(count) < UNSCALED_SHARE] = 1.0  # and at whole pixels: as crisp as it was
    return zooms


def _corners(
    sizes: NDArray[np.float64], side: int, margin: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Left upper corners (n, 2) of windows, in px of pages of these sizes: anywhere on the page, or around it.

    margin (n, 1): the share of a window that may lie beyond the page's edge.
    """
    overhang = sizes - side
    low = np.minimum(overhang, 0) - margin * side
    high = np.maximum(overhang, 0) + margin * side
    return rng.uniform(low, high)


def _tinted(windows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Paler or stronger in colour, darker or brighter, each window by chance."""

    def drawn(between: tuple[float, float]) -> torch.Tensor:
        values = rng.uniform(*between, (len(windows), 1, 1, 1))
        return torch.from_numpy(values.astype(np.float32)).to(windows.device)

    grey = windows.mean(1, keepdim=True)
    return ((grey + (windows - grey) * drawn(_TINT)) * drawn(_LIGHT)).clamp_(0, 255)
