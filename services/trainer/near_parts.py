"""Cuts from labelled pages the parts that production sees from near, to train a network of its own for them.

    python -m services.trainer.near_parts --data DIR --extra DIR,DIR --out OUT

A part shows a stamp, on a page without one a signature, else whatever chance finds, as large as production does and
with more around it, so that training can cut windows anywhere in it. Coloured parts at stamps are, three in five, there
a second time without colours. OUT is a folder to train on, with `--size 860 --crop 640`, for a look of 640 px with
`--size 538 --crop 416`.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageChops

from services.trainer.cropping import PADDING, shifted
from services.trainer.dataset import DatasetError, LabelledBox, LabelledPage, read_pages
from services.trainer.new_folder import new_folder
from services.trainer.packing import label_line, reduce_page
from shared.domain.at_stamps import ENLARGED
from shared.domain.labels import ALL_KINDS, KINDS, SIGNATURES_ONLY
from shared.pages.tone import is_colourful
from shared.processor import usable_cores

_REACH = 0.6
"""Side of a part, as a share of how high the largest look is: half as much again as in production."""
_ASIDE = 0.1
"""How far, as a share of the same, what a part is about may lie from its middle, each way."""
_COLOURLESS = 0.6
_SIGNATURE, _, _STAMP = range(len(KINDS))
_TOLD_EVERY = 100  # pages: some seconds
_SOURCE = "parts"
_HEAD = ("source", "file", "n_boxes", "group", "tags", "split")

Row = tuple[str, ...]


@dataclass(frozen=True)
class Cutting:
    """How parts are cut: how many of each page, from what raster (px of its longer side), by which chance.

    ``stamped``: pages without a stamp are left out.
    """

    out: Path
    look: int = 1024
    each: int = 1
    stamped: bool = False
    seed: int = 0

    @property
    def reach(self) -> int:
        """Side of a part in px of the raster."""
        return round(_REACH * self.look)


@dataclass(frozen=True)
class _Part:
    """A square of a page, enlarged: what it shows, and of which boxes at least half lies in it."""

    picture: Image.Image
    boxes: Sequence[LabelledBox]

    def without_colours(self) -> _Part:
        """As production shows it a second time; of coloured stamps nothing much is left to be found."""
        return _Part(
            reduce(ImageChops.lighter, self.picture.split()), [box for box in self.boxes if box.kind == _SIGNATURE]
        )


def cut(data: Sequence[LabelledPage], extra: Sequence[LabelledPage], cutting: Cutting) -> int:
    """Write the parts of pages as a dataset folder; returns how many. Which pages know every kind: see packing.pack.

    DatasetError: the folder is there already, no page has what is asked for, or one cannot be read.
    """
    pages = [(page, ALL_KINDS in page.tags) for page in data] + [
        (page, SIGNATURES_ONLY not in page.tags) for page in extra
    ]
    wanted = [pair for pair in pages if not cutting.stamped or _of_kind(pair[0], _STAMP)]
    if not wanted:
        raise DatasetError(f"No pages{' with a stamp' if cutting.stamped else ''}: name some with --data or --extra.")
    rows: list[Row] = []
    with new_folder(cutting.out) as folder, ThreadPoolExecutor(usable_cores()) as workers:
        for kind_of_file in ("images", "labels"):
            (folder / kind_of_file / _SOURCE).mkdir(parents=True)
        inside = replace(cutting, out=folder)
        of_pages = workers.map(
            lambda at, pair: list(_write_parts(at, pair[0], pair[1], inside)), range(len(wanted)), wanted
        )
        for done, of_page in enumerate(of_pages, start=1):
            rows += of_page
            if done % _TOLD_EVERY == 0:
                print(f"{done} of {len(wanted)} pages", file=sys.stderr)
        with (folder / "index.csv").open("w", newline="", encoding="utf-8") as lines:
            csv.writer(lines, lineterminator="\n").writerows([_HEAD, *rows])
    return len(rows)


def _of_kind(page: LabelledPage, kind: int) -> list[LabelledBox]:
    return [box for box in page.boxes if box.kind == kind]


def _write_parts(number: int, page: LabelledPage, every_kind: bool, cutting: Cutting) -> Iterator[Row]:
    """Write the parts of one page and yield their lines of index.csv."""
    rng = np.random.default_rng([cutting.seed, number])
    try:
        stored, _ = reduce_page(page.path, cutting.look)
    except OSError as error:
        raise DatasetError(f"{page.name}: {error}") from error
    coloured = bool(_of_kind(page, _STAMP)) and is_colourful(stored)
    raster = stored.convert("RGB")
    for which in range(cutting.each):
        part = _part(raster, page, cutting, rng)
        name = f"{number:06d}-{page.path.stem}-{which}"
        yield _write(part, name, ALL_KINDS if every_kind else SIGNATURES_ONLY, cutting.out)
        if coloured and rng.random() < _COLOURLESS:
            yield _write(part.without_colours(), f"{name}-colourless", SIGNATURES_ONLY, cutting.out)


def _part(raster: Image.Image, page: LabelledPage, cutting: Cutting, rng: np.random.Generator) -> _Part:
    """A part that chance takes, about one of the page's stamps, else about a signature, else about anything."""
    size, reach = np.array(raster.size), cutting.reach
    about = _of_kind(page, _STAMP) or _of_kind(page, _SIGNATURE)
    middle = rng.random(2)
    if about:
        box = about[rng.integers(len(about))]
        middle = np.array([box.cx, box.cy])
    start = middle * size + rng.uniform(-_ASIDE, _ASIDE, 2) * cutting.look - reach / 2
    left, top = np.clip(start, 0, np.maximum(size - reach, 0)).round().astype(int).tolist()
    sheet = Image.new("RGB", (reach, reach), (PADDING,) * 3)
    sheet.paste(raster.crop((left, top, min(left + reach, raster.width), min(top + reach, raster.height))))
    side = round(reach * ENLARGED)
    return _Part(sheet.resize((side, side), Image.Resampling.BILINEAR), _shown(page.boxes, size, (left, top), reach))


def _shown(boxes: Sequence[LabelledBox], size: np.ndarray, corner: tuple[int, int], reach: int) -> list[LabelledBox]:
    sides = torch.tensor([[box.cx, box.cy, box.width, box.height] for box in boxes]).reshape(-1, 4)
    moved, remain = shifted(sides, torch.from_numpy(size), torch.tensor(corner), reach)
    kinds = [box.kind for box, stays in zip(boxes, remain.tolist(), strict=True) if stays]
    return [LabelledBox(kind, *place) for kind, place in zip(kinds, moved[remain].tolist(), strict=True)]


def _write(part: _Part, name: str, tag: str, folder: Path) -> Row:
    part.picture.save(folder / "images" / _SOURCE / f"{name}.png", compress_level=1)
    label = folder / "labels" / _SOURCE / f"{name}.txt"
    label.write_text("".join(map(label_line, part.boxes)), encoding="utf-8")
    signatures = sum(box.kind == _SIGNATURE for box in part.boxes)
    return _SOURCE, f"{name}.png", str(signatures), name, tag, "train"


def main(arguments: list[str] | None = None) -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(
        prog="python -m services.trainer.near_parts",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--data", type=Path, help="folder of pages labelled for signatures, or for every kind if so tagged"
    )
    parser.add_argument("--extra", default="", help="folders, separated by commas, of pages labelled for every kind")
    parser.add_argument("--out", type=Path, required=True, help="folder to write, which must not be there yet")
    parser.add_argument("--each", type=int, default=1, help="parts of each page (default: %(default)s)")
    parser.add_argument("--stamped", action="store_true", help="of pages with a stamp only")
    parser.add_argument("--look", type=int, default=1024, help="px of the model's largest look (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of all that chance decides (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    cutting = Cutting(chosen.out, chosen.look, chosen.each, chosen.stamped, chosen.seed)
    try:
        data = read_pages(chosen.data, "train") if chosen.data else []
        extra = [page for folder in filter(None, chosen.extra.split(",")) for page in read_pages(Path(folder), "train")]
        print(f"{chosen.out}: {cut(data, extra, cutting)} parts")
    except (DatasetError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
