"""Stamps looked at from near: the parts of a page that show them, enlarged, and what is told where they are.

Signatures in and under a stamp are small and crossed by its ink, mostly a coloured one: without colours a black pen
stands out. Elsewhere a part shows too little of its page to tell a signature by its place (docs/decisions/0017).
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from services.detector.yolo.arrays import Bools, Bytes, Floats
from services.detector.yolo.boxes import RawBoxes, pooled
from services.detector.yolo.preprocess import Placement, View, rounded_up, tensor
from shared.domain.at_stamps import ENLARGED
from shared.pages.renderer import RenderedPage

_REACH = 0.4
"""Side of the square that a part shows, as a share of how high the largest look is."""
_MOST_PARTS = 4
_LARGE = 0.25
"""Share of its page's longer side from which on a stamp is seen well from far, as are the signatures of a close-up."""
_BESIDE = 0.1
"""Shares of a stamp's width and height by which what lies beside it is still near."""


def part_size(input_size: int) -> int:
    """Side in pixels of the network's input for a part of a page, of which the largest look has ``input_size``.

    Networks take whole strides, so a part is enlarged a little more than is asked for.
    """
    return rounded_up(_REACH * ENLARGED * input_size)


def worth_a_look(stamps: Floats, page: RenderedPage) -> Floats:
    """Those of the stamps [n, 4] (page pixels) that are not large on their page."""
    longer = (stamps[:, 2:] - stamps[:, :2]).max(axis=1)
    return np.asarray(stamps[longer < _LARGE * max(page.width, page.height)])


def parts(page: RenderedPage, stamps: Floats, input_size: int, seen_width: int) -> list[View]:
    """Views of the parts that show the stamps [n, 4] (page pixels, surest first): at most four.

    At the largest look, of ``input_size``, the page was ``seen_width`` pixels wide.
    """
    height, width = page.raster.shape[:2]
    reach = round(_REACH * input_size * width / seen_width)
    waiting = stamps * np.array([width / page.width, height / page.height] * 2, dtype=np.float32)
    views: list[View] = []
    while len(waiting) and len(views) < _MOST_PARTS:
        x1, y1, x2, y2 = (float(side) for side in waiting[0])
        left, top = _start((x1 + x2) / 2, reach, width), _start((y1 + y2) / 2, reach, height)
        views.append(_part(page, (left, top), reach, part_size(input_size)))
        waiting = _outside(waiting[1:], (left, top), reach)
    return views


def _outside(stamps: Floats, start: tuple[int, int], reach: int) -> Floats:
    """Those that a part does not show as a whole."""
    low = np.array(start, dtype=np.float32)
    inside = np.logical_and(stamps[:, :2] >= low, stamps[:, 2:] <= low + reach)
    return stamps[~inside.all(axis=1)]


def _start(middle: float, reach: int, size: int) -> int:
    """Where a part with this in its middle begins, as far as there is a page of that size."""
    return round(min(max(middle - reach / 2, 0), max(size - reach, 0)))


def _part(page: RenderedPage, start: tuple[int, int], reach: int, side: int) -> View:
    left, top = start
    zoom = side / reach
    seen = _enlarged(page.raster[top : top + reach, left : left + reach], zoom)
    height, width = (round(length * zoom) for length in page.raster.shape[:2])
    page_size = page.width, page.height
    pixels = tensor(seen, Placement(0, 0, seen.shape[1], seen.shape[0], *page_size), (side, side))
    return View(Placement(round(-left * zoom), round(-top * zoom), width, height, *page_size), pixels)


def _enlarged(raster: Bytes, zoom: float) -> Bytes:
    size = round(raster.shape[1] * zoom), round(raster.shape[0] * zoom)
    return np.asarray(Image.fromarray(np.ascontiguousarray(raster)).resize(size, Image.Resampling.BILINEAR))


def without_colours(seen: View) -> View:
    """The same in greys as light as the lightest channel: coloured ink fades, black does not."""
    return View(seen.placement, np.repeat(seen.tensor.max(axis=0, keepdims=True), 3, axis=0))


def told_from_near(far: RawBoxes, near: RawBoxes, stamps: Floats, seen: Sequence[View]) -> RawBoxes:
    """What is told of a page: of what lies in or beside a stamp, where it was ``seen``, as in ``near``, else ``far``.

    All corners are in page pixels.
    """
    slack = np.tile((stamps[:, 2:] - stamps[:, :2]) * _BESIDE, 2) * np.array([-1, -1, 1, 1], dtype=np.float32)
    shown = np.concatenate(
        [view.placement.to_page(np.array([[0, 0, *view.bucket[::-1]]], np.float32)) for view in seen]
    )

    def are_near(boxes: RawBoxes) -> Bools:
        return np.logical_and(_within(stamps + slack, boxes), _within(shown, boxes))

    return pooled([near.picked(are_near(near)), far.picked(~are_near(far))])


def _within(areas: Floats, boxes: RawBoxes) -> Bools:
    """Which of the boxes have their middle in one of the areas [n, 4]."""
    middles = (boxes.corners[:, None, :2] + boxes.corners[:, None, 2:]) / 2
    inside = np.logical_and(middles > areas[:, :2], middles < areas[:, 2:])
    return np.asarray(np.any(np.all(inside, axis=2), axis=1))
