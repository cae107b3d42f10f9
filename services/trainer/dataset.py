"""Labelled pages on disk: what they are and where they come from.

Three layouts are read: ours (`index.csv` beside `images/` and `labels/`), any YOLO folder (`images/`, `labels/`) and
any COCO folder (a JSON of annotations beside its images). All give the same LabelledPage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from services.trainer.splits import split_of


class DatasetError(ValueError):
    """The data is not fit for use; the message names the file and what is wrong with it."""


@dataclass(frozen=True)
class LabelledBox:
    """One box, normalised 0..1 with its centre first (YOLO's order); overlapped: whether it crosses print, if known."""

    kind: int
    cx: float
    cy: float
    width: float
    height: float
    overlapped: bool | None = None

    def corners(self, page_width: int, page_height: int) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in pixels of a page of the given size."""
        half_width, half_height = self.width / 2, self.height / 2
        left, right = (self.cx - half_width) * page_width, (self.cx + half_width) * page_width
        return left, (self.cy - half_height) * page_height, right, (self.cy + half_height) * page_height


@dataclass(frozen=True)
class LabelledPage:
    """One page with its boxes. Pages of one group are of one document or near-duplicates and never part.

    expected_boxes is what an index says about the number of signatures, where there is an index; labelled is false
    where a label file was expected and none lies.
    """

    source: str
    path: Path
    boxes: tuple[LabelledBox, ...]
    group: str
    split: str | None = None
    tags: frozenset[str] = field(default_factory=frozenset)
    expected_boxes: int | None = None
    labelled: bool = True

    @property
    def name(self) -> str:
        """Source and file: what messages and galleries call the page."""
        return f"{self.source}/{self.path.name}"


def read_pages(folder: Path, split: str | None = None) -> list[LabelledPage]:
    """Read every page of a dataset folder, or those of one split; raises DatasetError on labels that make no sense.

    Where the data names no split, a page's group decides: whole groups, and always the same.
    """
    from services.trainer import dataset_layouts as layouts

    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder")
    pages = with_splits(layouts.reader_for(folder)(folder))
    chosen = [page for page in pages if split is None or page.split == split]
    if not chosen:
        raise DatasetError(f"{folder}: no page" + (f" in split {split!r}" if split else ""))
    return chosen


def with_splits(pages: Sequence[LabelledPage]) -> list[LabelledPage]:
    """Give pages that have no split one, whole groups at a time and always the same."""
    return [page if page.split else replace(page, split=split_of(page.group)) for page in pages]
