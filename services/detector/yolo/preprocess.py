"""From a page raster to the network's input, and from the network's coordinates back to the page's."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from services.detector.yolo.arrays import Bytes, Floats
from shared.pages.raster import scaled

_STRIDE = 32
_NARROW, _MIDDLE, _SQUARE = 480 / 640, 512 / 640, 1.0
_PADDING = np.float32(114 / 255)
_SCALE = np.float32(1 / 255)

Bucket = tuple[int, int]
"""Height and width of a network input. Few shapes, so that pages share batches and runtimes compile few graphs."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a raster lies in its bucket and how large the page it shows is; all in pixels."""

    left: int
    top: int
    raster_width: int
    raster_height: int
    page_width: int
    page_height: int

    def to_page(self, corners: Floats) -> Floats:
        """Boxes [n, 4] (x1, y1, x2, y2) in network pixels to page pixels, cut at the page's edges."""
        offset = np.array([self.left, self.top] * 2, dtype=np.float32)
        scale = [self.page_width / self.raster_width, self.page_height / self.raster_height]
        edge = np.array([self.page_width, self.page_height] * 2, dtype=np.float32)
        return np.asarray(np.clip((corners - offset) * np.array(scale * 2, dtype=np.float32), 0, edge))


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A page as the network sees it at one of its input sizes: the tensor [3, height, width] and what it shows."""

    placement: Placement
    tensor: Floats

    @property
    def bucket(self) -> Bucket:
        """Views of the same one can share a forward."""
        return self.tensor.shape[1], self.tensor.shape[2]


def view(raster: Bytes, page_size: tuple[int, int], input_size: int) -> View:
    """A raster of a page of ``page_size`` (width, height), its longer side at least ``input_size``, made ready."""
    raster = _reduced(raster, input_size)
    into = bucket(raster.shape[0], raster.shape[1], input_size)
    placement = place(raster, page_size, into)
    return View(placement, tensor(raster, placement, into))


def _reduced(raster: Bytes, input_size: int) -> Bytes:
    height, width = raster.shape[:2]
    longer = max(height, width)
    if longer <= input_size:
        return raster
    size = (max(1, round(width * input_size / longer)), max(1, round(height * input_size / longer)))
    if raster.strides[2] == 0:  # a grey page: three views of one channel
        return np.broadcast_to(np.asarray(scaled(Image.fromarray(raster[:, :, 0]), size))[:, :, None], (*size[::-1], 3))
    return np.asarray(scaled(Image.fromarray(raster), size))


def bucket(height: int, width: int, input_size: int) -> Bucket:
    """The smallest bucket for a raster whose longer side is ``input_size``; an upright A4 page runs at 640 x 480."""
    if max(height, width) != input_size:
        raise ValueError(f"a raster of {width} x {height} pixels does not fit a network input of {input_size}")
    sides = [rounded_up(input_size * share) for share in (_NARROW, _MIDDLE, _SQUARE)]
    short = next(side for side in sides if side >= min(height, width))
    return (input_size, short) if height >= width else (short, input_size)


def place(raster: Bytes, page_size: tuple[int, int], into: Bucket) -> Placement:
    """Centre a raster [height, width, 3] of a page of ``page_size`` (width, height) in its bucket."""
    height, width = raster.shape[:2]
    return Placement((into[1] - width) // 2, (into[0] - height) // 2, width, height, *page_size)


def tensor(raster: Bytes, placement: Placement, into: Bucket) -> Floats:
    """Network input [3, height, width] in 0..1, the rest of the bucket filled with Ultralytics' grey."""
    result = np.full((3, *into), _PADDING, dtype=np.float32)
    rows = slice(placement.top, placement.top + placement.raster_height)
    columns = slice(placement.left, placement.left + placement.raster_width)
    np.multiply(raster.transpose(2, 0, 1), _SCALE, out=result[:, rows, columns])
    return result


def rounded_up(side: float) -> int:
    """The smallest side of a network's input, in pixels, that is no smaller."""
    return int(-(-side // _STRIDE) * _STRIDE)
