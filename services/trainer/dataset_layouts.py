"""Readers of the three dataset layouts."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from services.trainer.dataset import DatasetError, LabelledBox, LabelledPage
from shared.domain.labels import KINDS

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"})
_COCO_NAMES = ("annotations.json", "_annotations.coco.json", "instances.json")
_SPLITS = {"train": "train", "val": "val", "valid": "val", "test": "test", "heldout": "heldout"}

OTHER_NAMES = {"paraphe": 1, "initials": 1, "stamp": 2}

Overlaps = dict[tuple[str, str, int], bool]
Others = dict[tuple[str, str], list[LabelledBox]]
Reader = Callable[[Path], list[LabelledPage]]


def reader_for(folder: Path) -> Reader:
    """The reader of the layout that a folder has."""
    if (folder / "index.csv").is_file():
        return read_index
    if _coco_files(folder):
        return read_coco
    if (folder / "images").is_dir():
        return read_yolo
    raise DatasetError(f"{folder}: neither index.csv, nor COCO annotations, nor a folder images/")


def read_index(folder: Path) -> list[LabelledPage]:
    """Our own layout: index.csv names every page with its source, group, split and tags."""
    overlaps, others = _read_overlaps(folder), _read_others(folder)
    with (folder / "index.csv").open(newline="") as handle:
        return [_page_of_row(folder, row, overlaps, others) for row in csv.DictReader(handle)]


def _page_of_row(folder: Path, row: dict[str, str], overlaps: Overlaps, others: Others) -> LabelledPage:
    source, file = row["source"], row["file"]
    label = folder / "labels" / source / f"{Path(file).stem}.txt"
    boxes = tuple(_read_boxes(label, source, file, overlaps))
    labelled_kinds = {box.kind for box in boxes}
    beside = tuple(box for box in others.get((source, file), []) if box.kind not in labelled_kinds)
    return LabelledPage(
        source=source,
        path=folder / "images" / source / file,
        boxes=boxes + beside,
        group=row.get("group") or f"{source}:{file}",
        split=row.get("split") or None,
        tags=frozenset(filter(None, (row.get("tags") or "").split(","))),
        expected_boxes=int(row["n_boxes"]) if row.get("n_boxes") else None,
    )


def _read_overlaps(folder: Path) -> Overlaps:
    path = folder / "boxes.csv"
    if not path.exists():
        return {}
    with path.open(newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if row.get("overlapped")]
    return {(row["source"], row["file"], int(row["box"])): row["overlapped"] == "Yes" for row in rows}


def _read_others(folder: Path) -> Others:
    """Boxes that are not signatures, kept apart from the label files; kinds that are none of ours are passed over."""
    path = folder / "other_classes.csv"
    if not path.exists():
        return {}
    with path.open(newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if row["cls"] in OTHER_NAMES]
    found: Others = {}
    for row in rows:
        cx, cy, width, height = (float(row[side]) for side in ("cx", "cy", "w", "h"))
        box = LabelledBox(OTHER_NAMES[row["cls"]], cx, cy, width, height)
        found.setdefault((row["source"], row["file"]), []).append(box)
    return found


def read_yolo(folder: Path) -> list[LabelledPage]:
    """Plain YOLO: labels/ mirrors images/. A first folder called train, val or test is the split; groups are files."""
    images = folder / "images"
    files = sorted(path for path in images.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    return [_yolo_page(folder, path.relative_to(images)) for path in files]


def _yolo_page(folder: Path, relative: Path) -> LabelledPage:
    label = (folder / "labels" / relative).with_suffix(".txt")
    source = relative.parent.name or folder.name
    return LabelledPage(
        source=source,
        path=folder / "images" / relative,
        boxes=tuple(_read_boxes(label, source, relative.name, {})),
        group=str(relative),
        split=_SPLITS.get(relative.parts[0]) if len(relative.parts) > 1 else None,
        labelled=label.exists(),
    )


def _read_boxes(label: Path, source: str, file: str, overlaps: Overlaps) -> Iterator[LabelledBox]:
    if not label.exists():
        return
    for number, line in enumerate(filter(str.strip, label.read_text().splitlines())):
        try:
            kind, cx, cy, width, height = line.split()[:5]
            overlapped = overlaps.get((source, file, number))
            yield LabelledBox(int(kind), float(cx), float(cy), float(width), float(height), overlapped)
        except ValueError as error:
            raise DatasetError(f"{label}: line {number + 1} is not 'class cx cy w h': {line!r}") from error


def _coco_files(folder: Path) -> list[Path]:
    return sorted(path for name in _COCO_NAMES for path in (*folder.glob(name), *folder.glob(f"*/{name}")))


def read_coco(folder: Path) -> list[LabelledPage]:
    """COCO: one file of annotations, or one for each split's folder; categories are matched to our kinds by name."""
    return [page for path in _coco_files(folder) for page in _coco_pages(path)]


def _coco_pages(path: Path) -> Iterator[LabelledPage]:
    content: dict[str, Any] = json.loads(path.read_text())
    kinds = _coco_kinds(path, content)
    boxes: dict[int, list[dict[str, Any]]] = {}
    for annotation in content.get("annotations", []):
        boxes.setdefault(annotation["image_id"], []).append(annotation)
    for image in content.get("images", []):
        marked = [one for one in boxes.get(image["id"], []) if one["category_id"] in kinds]
        yield LabelledPage(
            source=path.parent.name,
            path=path.parent / image["file_name"],
            boxes=tuple(_coco_box(one["bbox"], kinds[one["category_id"]], image) for one in marked),
            group=f"{path.parent.name}:{image['file_name']}",
            split=_SPLITS.get(path.parent.name),
        )


def _coco_kinds(path: Path, content: dict[str, Any]) -> dict[int, int]:
    """Our class number of each category; a file that marks but one, of another name, still means signatures."""
    names = {one["id"]: one["name"] for one in content.get("categories", [])}
    if known := {number: KINDS.index(name.lower()) for number, name in names.items() if name.lower() in KINDS}:
        return known
    marked = {one["category_id"] for one in content.get("annotations", [])}
    if len(marked) > 1:
        foreign = ", ".join(sorted(str(names.get(number, number)) for number in marked))
        raise DatasetError(f"{path}: which category is the signatures? It marks {foreign}: call one 'signature'")
    return dict.fromkeys(marked, 0)


def _coco_box(box: list[float], kind: int, image: dict[str, Any]) -> LabelledBox:
    (left, top, width, height), across, down = box, image["width"], image["height"]
    return LabelledBox(kind, (left + width / 2) / across, (top + height / 2) / down, width / across, height / down)
