"""Lays a folder of real pages out anew with more labels: initials and stamps, and signatures that nobody had marked.

    python -m services.trainer.relabelling --data DIR --labels models/labels.csv --out DIR

Real scans are mostly labelled for signatures alone. LABELS names the pages that were gone over for every kind, one box
a line (source, file, cls, cx, cy, w, h, normalised, as in other_classes.csv), or, where nothing more is on a page, one
line without a box. In OUT these pages are tagged `all-kinds`, the others `signatures-only`; pictures stay where they
are.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from services.trainer.dataset import DatasetError
from services.trainer.dataset_layouts import OTHER_NAMES
from services.trainer.new_folder import new_folder
from shared.domain.labels import ALL_KINDS, KINDS, SIGNATURES_ONLY

Row = dict[str, str]
Place = tuple[str, str]
Labels = Mapping[Place, list[Row]]

_CLASSES = {KINDS[0]: 0, **OTHER_NAMES}
_SIDES = ("cx", "cy", "w", "h")
_REWRITTEN = frozenset({"images", "labels", "index.csv", "other_classes.csv"})


def relabel(data: Path, labels: Path, out: Path) -> int:
    """Write `out`, a dataset folder with the pages of `data`; returns how many of them are labelled for every kind.

    Label files of these hold every kind: what `data` has of them in other_classes.csv moves there.

    DatasetError: `out` is there already, a line of `labels` makes no sense, or it names a page that is not in `data`.
    """
    with new_folder(out) as folder:
        added, pages = _read_labels(labels), _rows(data / "index.csv")
        if unknown := added.keys() - set(map(_place, pages)):
            raise DatasetError(f"{labels}: {'/'.join(min(unknown))} is not in {data}")
        others = _rows(data / "other_classes.csv")
        moved = [row for row in others if _place(row) in added and row["cls"] in OTHER_NAMES]
        _copy(data, folder)
        _write(folder / "index.csv", [_told(row, added) for row in pages])
        _write(folder / "other_classes.csv", [row for row in others if row not in moved])
        for row in [*moved, *(row for boxes in added.values() for row in boxes)]:
            _add(folder / "labels" / row["source"] / f"{Path(row['file']).stem}.txt", row)
    return len(added)


def _place(row: Row) -> Place:
    return row["source"], row["file"]


def _rows(path: Path) -> list[Row]:
    """The lines of a list; none where there is no list."""
    if not path.exists():
        return []
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle))


def _write(path: Path, rows: list[Row]) -> None:
    if not rows:
        return
    with path.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _copy(data: Path, folder: Path) -> None:
    """Everything but what is written anew; the pictures are pointed to."""
    folder.mkdir(parents=True)
    (folder / "images").symlink_to((data / "images").resolve())
    shutil.copytree(data / "labels", folder / "labels")
    for path in data.iterdir():
        if path.is_file() and path.name not in _REWRITTEN:
            shutil.copyfile(path, folder / path.name)


def _read_labels(path: Path) -> Labels:
    """The boxes of each page that was gone over, of some of them none."""
    if not path.exists():
        raise DatasetError(f"{path}: no such file")
    rows = _rows(path)
    if not rows or not {"source", "file", "cls", *_SIDES} <= rows[0].keys():
        raise DatasetError(f"{path}: its first line must name the columns source, file, cls, {', '.join(_SIDES)}")
    pages: dict[Place, list[Row]] = {}
    for number, row in enumerate(rows, start=2):
        boxes = pages.setdefault(_place(row), [])
        if row["cls"]:
            _must_be_box(row, f"{path}: line {number}")
            boxes.append(row)
    return pages


def _must_be_box(row: Row, where: str) -> None:
    if row["cls"] not in _CLASSES:
        raise DatasetError(f"{where}: {row['cls']!r} is none of {', '.join(KINDS)}")
    try:
        sides = [float(row[side]) for side in _SIDES]
    except (TypeError, ValueError) as error:
        raise DatasetError(f"{where}: a box is four numbers, {', '.join(_SIDES)}") from error
    if not all(0 <= side <= 1 for side in sides):
        raise DatasetError(f"{where}: cx, cy, w and h are shares of the page, from 0 to 1")


def _told(row: Row, labels: Labels) -> Row:
    """A page's line of the index, with what it is labelled for and how many signatures it has now."""
    boxes = labels.get(_place(row))
    before = (row.get("tags") or "").split(",")
    known = boxes is not None or ALL_KINDS in before
    tags = [tag for tag in before if tag not in ("", SIGNATURES_ONLY, ALL_KINDS)]
    tags.append(ALL_KINDS if known else SIGNATURES_ONLY)
    more = sum(box["cls"] == KINDS[0] for box in boxes or [])
    if more:
        tags = ["signed" if tag == "unsigned" else tag for tag in tags]
    counted = {"n_boxes": str(int(row["n_boxes"]) + more)} if row.get("n_boxes") else {}
    return {**row, **counted, "tags": ",".join(tags)}


def _add(label: Path, row: Row) -> None:
    label.parent.mkdir(parents=True, exist_ok=True)
    line = " ".join([str(_CLASSES[row["cls"]]), *(row[side] for side in _SIDES)])
    before = label.read_text().rstrip() if label.exists() else ""
    label.write_text(f"{before}\n{line}\n".lstrip())


def main(arguments: list[str] | None = None) -> None:
    """Command line of the module."""
    about, _, _ = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(prog="python -m services.trainer.relabelling", description=about)
    parser.add_argument("--data", type=Path, required=True, help="folder of labelled pages with an index.csv")
    parser.add_argument("--labels", type=Path, required=True, help="more labels, a CSV file")
    parser.add_argument("--out", type=Path, required=True, help="folder to write, which must not be there yet")
    chosen = parser.parse_args(arguments)
    try:
        print(f"{relabel(chosen.data, chosen.labels, chosen.out)} pages of {chosen.out} are labelled for every kind")
    except (DatasetError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
