"""Labelled pages on disk: what they are, where they lie and which belong together.

Three layouts are read: ours (`index.csv` beside `images/` and `labels/`), any YOLO folder (`images/`, `labels/`) and
any COCO folder (`annotations.json` or `_annotations.coco.json` with its images).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path


class DatasetError(ValueError):
    """The data is not fit for use; the message names the file and what is wrong with it."""


IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"})


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
    """One page with its boxes. Pages of one group are of one document or near-duplicates and never part."""

    source: str
    path: Path
    boxes: tuple[LabelledBox, ...]
    group: str
    split: str | None = None
    tags: frozenset[str] = field(default_factory=frozenset)

    @property
    def name(self) -> str:
        """Source and file: what messages and galleries call the page."""
        return f"{self.source}/{self.path.name}"


def read_pages(folder: Path, split: str | None = None) -> list[LabelledPage]:
    """Read every page of a dataset folder, or those of one split."""
    pages = list(_read_index(folder))
    return [page for page in pages if split is None or page.split == split]


def _read_index(folder: Path) -> Iterable[LabelledPage]:
    overlaps = _read_overlaps(folder)
    with (folder / "index.csv").open(newline="") as handle:
        for row in csv.DictReader(handle):
            yield _page_of_row(folder, row, overlaps)


def _page_of_row(folder: Path, row: dict[str, str], overlaps: dict[tuple[str, str, int], bool]) -> LabelledPage:
    source, file = row["source"], row["file"]
    label = folder / "labels" / source / f"{Path(file).stem}.txt"
    return LabelledPage(
        source=source,
        path=folder / "images" / source / file,
        boxes=tuple(_read_boxes(label, source, file, overlaps)),
        group=row["group"],
        split=row.get("split") or None,
        tags=frozenset(filter(None, row.get("tags", "").split(","))),
    )


def _read_boxes(
    label: Path, source: str, file: str, overlaps: dict[tuple[str, str, int], bool]
) -> Iterable[LabelledBox]:
    if not label.exists():
        return
    for number, line in enumerate(filter(None, label.read_text().splitlines())):
        kind, cx, cy, width, height = line.split()[:5]
        overlapped = overlaps.get((source, file, number))
        yield LabelledBox(int(kind), float(cx), float(cy), float(width), float(height), overlapped)


def _read_overlaps(folder: Path) -> dict[tuple[str, str, int], bool]:
    path = folder / "boxes.csv"
    if not path.exists():
        return {}
    with path.open(newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if row.get("overlapped")]
    return {(row["source"], row["file"], int(row["box"])): row["overlapped"] == "Yes" for row in rows}
