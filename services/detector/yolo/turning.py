"""Pages turned by quarters to the left, and what was found on them turned back."""

from dataclasses import replace

import numpy as np

from shared.domain.detection import Box, Page
from shared.pages.renderer import RenderedPage


def turned(page: RenderedPage, quarters: int) -> RenderedPage:
    """The page turned to the left."""
    for _ in range(quarters):
        page = replace(page, width=page.height, height=page.width, raster=np.rot90(page.raster))
    return page


def turned_back(page: Page, quarters: int) -> Page:
    """What was found on a page that had been turned to the left, where it lies on the page as it was."""
    for _ in range(quarters):
        found = tuple(replace(one, box=_to_the_right(one.box, page.height)) for one in page.detections)
        page = replace(page, width=page.height, height=page.width, detections=found)
    return page


def _to_the_right(box: Box, height: float) -> Box:
    """A box on a page of that height once the page is turned by a quarter to the right."""
    return Box(height - box.y - box.height, box.x, box.height, box.width)


def surer(first: Page, second: Page) -> Page:
    """Of the same page seen two ways, the one on which something was found more surely; the first where none was."""
    return max(first, second, key=lambda page: max((one.confidence for one in page.detections), default=0.0))
