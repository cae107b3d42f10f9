"""A dataset version: a manifest that pins every file by its hash, every page's split, the counts and the licences."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.trainer.dataset import DatasetError, LabelledPage
from services.trainer.dataset_check import check
from shared.domain.labels import KINDS


def build(folder: Path, pages: Sequence[LabelledPage], target: Path, licences: dict[str, str]) -> dict[str, Any]:
    """Check the pages and write their manifest to target, whole or not at all; raises DatasetError with all faults."""
    problems = check(pages)
    if problems:
        raise DatasetError("\n".join(map(str, problems)))
    manifest = describe(folder, pages, {**read_licences(folder), **licences})
    unfinished = target.with_name(target.name + ".part")
    unfinished.write_text(json.dumps(manifest, indent=1) + "\n")
    unfinished.replace(target)
    return manifest


def describe(folder: Path, pages: Sequence[LabelledPage], licences: dict[str, str]) -> dict[str, Any]:
    """The manifest. Its version is a hash over all files, boxes and splits: equal content, equal version."""
    entries = [_entry(folder, page) for page in sorted(pages, key=lambda page: page.name)]
    version = hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()[:16]
    return {
        "version": version,
        "counts": counts(pages),
        "licences": {source: licences.get(source, "unknown") for source in sorted({page.source for page in pages})},
        "pages": entries,
    }


def counts(pages: Sequence[LabelledPage]) -> dict[str, dict[str, int]]:
    """Pages, signed pages and boxes of each kind, for every source and split and in all."""
    table: dict[str, Counter[str]] = {}
    for page in pages:
        for row in ("all", f"split:{page.split or 'none'}", f"source:{page.source}"):
            kinds = Counter(_kind_name(box.kind) for box in page.boxes)
            table.setdefault(row, Counter()).update({"pages": 1, "signed": int(kinds["signature"] > 0), **kinds})
    return {row: dict(values) for row, values in sorted(table.items())}


def _kind_name(number: int) -> str:
    return KINDS[number] if 0 <= number < len(KINDS) else f"class {number}"


def _entry(folder: Path, page: LabelledPage) -> dict[str, Any]:
    boxes = [[box.kind, box.cx, box.cy, box.width, box.height] for box in page.boxes]
    return {
        "file": page.path.relative_to(folder).as_posix(),
        "sha256": hashlib.sha256(page.path.read_bytes()).hexdigest(),
        "source": page.source,
        "group": page.group,
        "split": page.split,
        "tags": sorted(page.tags),
        "boxes": boxes,
    }


def read_licences(folder: Path) -> dict[str, str]:
    """Licence of each source from sources.csv (columns source, licence), where the folder has one."""
    path = folder / "sources.csv"
    if not path.exists():
        return {}
    with path.open(newline="") as handle:
        return {row["source"]: row["licence"] for row in csv.DictReader(handle)}
