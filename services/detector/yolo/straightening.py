"""Pages that lie askew made straight, and what was found on them laid back onto the page as it lies."""

import math
from dataclasses import replace

import numpy as np
from PIL import Image

from services.detector.yolo.boxes import overlaps
from shared.domain.detection import Box, Detection, Page
from shared.pages.renderer import RenderedPage

_WHITE = (255, 255, 255)
_SAME = 0.5
"""Overlap, intersection over union, from which on two boxes are about one signature."""
_AS_IT_LAY = 2.0
"""How often a box found on the page as it lay counts beside one laid back, which is but a guess at what lies askew."""


def straightened(page: RenderedPage, degrees: float) -> RenderedPage:
    """The page turned to the left about its middle, grown so that no corner is lost."""
    raster = Image.fromarray(np.ascontiguousarray(page.raster))
    straight = raster.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=_WHITE)
    scale = page.width / raster.width
    return replace(
        page,
        width=round(straight.width * scale),
        height=round(straight.height * scale),
        raster=np.asarray(straight),
    )


def laid_back(found: Page, degrees: float, lying: Page) -> Page:
    """What was found on the straightened page, where it is on the page as it lies.

    An upright box around what lies askew is not known from one around the same made straight. Where something was
    found in that place on the page as it lay, the box is the mean of both by confidence, that one counting twice.
    """
    there = [replace(one, box=_turned_right(one.box, degrees, found, lying)) for one in found.detections]
    on_page = [one for one in there if min(one.box.width, one.box.height) >= 1]
    return replace(lying, detections=tuple(_placed(one, lying) for one in on_page))


def _turned_right(box: Box, degrees: float, found: Page, lying: Page) -> Box:
    """The box of an ellipse that filled the box before: ink fills corners less than a rectangle would."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    x, y = box.center[0] - found.width / 2, box.center[1] - found.height / 2
    width, height = math.hypot(box.width * cos, box.height * sin), math.hypot(box.height * cos, box.width * sin)
    left = lying.width / 2 + x * cos - y * sin - width / 2
    top = lying.height / 2 + x * sin + y * cos - height / 2
    return _within(left, top, left + width, top + height, lying)


def _within(left: float, top: float, right: float, bottom: float, page: Page) -> Box:
    left, right = (min(max(value, 0.0), page.width) for value in (left, right))
    top, bottom = (min(max(value, 0.0), page.height) for value in (top, bottom))
    return Box.of_corners(left, top, right, bottom)


def _placed(one: Detection, lying: Page) -> Detection:
    same = [other for other in lying.detections if other.kind is one.kind]
    if not same:
        return one
    corners = np.array([other.box.corners for other in same])
    overlap = overlaps(np.array(one.box.corners), corners)
    nearest = int(overlap.argmax())
    if overlap[nearest] <= _SAME:
        return one
    weights = _AS_IT_LAY * same[nearest].confidence, one.confidence
    mean = np.average([corners[nearest], one.box.corners], axis=0, weights=weights)
    return replace(one, box=Box.of_corners(*mean.tolist()))
