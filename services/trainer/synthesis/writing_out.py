"""Synthetic pages onto disk, in the layout of the project's signature data, made on several cores."""

import csv
import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from services.trainer.dataset import LabelledPage
from services.trainer.synthesis.close_up import close_up
from services.trainer.synthesis.desk import InkSource
from services.trainer.synthesis.glass import on_glass
from services.trainer.synthesis.page import Box, SyntheticPage, make_page
from services.trainer.synthesis.recipes import RECIPES, Recipe
from services.trainer.synthesis.resigning import SignedAnew
from services.trainer.synthesis.sheet import CLASSES, Kind, Pixels
from shared.domain.labels import SIGNATURES_ONLY

SOURCE = "synthetic"
INDEX_HEAD = ["source", "file", "width", "height", "n_boxes", "group", "doc", "tags", "note", "bytes", "split"]
OTHER_HEAD = ["source", "file", "cls", "cx", "cy", "w", "h"]
ENDINGS = (".png", ".jpg")
"""Of the files that encoded() makes."""
MOST_IN_A_CHUNK = 16
CLOSER, LAID_DOWN = 100, 101
"""What sets the chance that shows a part of a page, or lays it beside another, apart from that which draws it."""
BESIDE = 10_000_000
"""How much higher the number of the page is that lies beside another."""


@dataclass(frozen=True)
class Series:
    """A run of pages: seed, long side in px, where they go, whether label files also hold initials and stamps.

    Where there are pages to resign, those are signed anew, and none are drawn. Of a share of pages, `close_ups`, only a
    part is shown; a share of all, `on_glass`, lie beside another on a scanner's glass, or small by themselves.
    """

    seed: int
    folder: Path
    long_side: int = 1280
    all_kinds: bool = False
    real: InkSource | None = None
    recipes: tuple[Recipe, ...] = RECIPES
    resigned: tuple[LabelledPage, ...] = ()
    close_ups: float = 0.0
    on_glass: float = 0.0

    def page(self, number: int) -> SyntheticPage:
        """Page `number`: the same whenever it is made."""
        page = self._paper(number)
        rng = np.random.default_rng([self.seed, number, LAID_DOWN])
        return on_glass(page, lambda: self._paper(number + BESIDE), rng) if rng.random() < self.on_glass else page

    def _paper(self, number: int) -> SyntheticPage:
        """Page `number` by itself, whole or a part of it."""
        page = self._whole_page(number)
        rng = np.random.default_rng([self.seed, number, CLOSER])
        return close_up(page, rng) if rng.random() < self.close_ups else page

    def _whole_page(self, number: int) -> SyntheticPage:
        if self.resigned:
            return SignedAnew(self.seed, self.resigned, self.real).make(number)
        return make_page(self.seed, number, self.long_side, self.real, self.recipes)

    def scanned(self, number: int) -> tuple[SyntheticPage, bytes, str]:
        """Page `number`, its file as a scanner would have compressed it, and that file's ending."""
        page = self.page(number)
        return page, *encoded(page.pixels, np.random.default_rng([self.seed, number, 1]))


def write_pages(series: Series, first: int, count: int, processes: int) -> Iterator[int]:
    """Make pages `first` to `first + count` and write them; yields how many are done, then the lists are written.

    Page n of a seed is the same whatever the number of processes and wherever a run starts.
    """
    for part in ("images", "labels"):
        (series.folder / part / SOURCE).mkdir(parents=True, exist_ok=True)
    rows: list[tuple[list[str], list[list[str]]]] = []
    chunk = max(1, min(MOST_IN_A_CHUNK, count // processes))
    with multiprocessing.get_context("spawn").Pool(processes, _set_up_process, (series,)) as pool:
        for row in pool.imap(_write_numbered, range(first, first + count), chunk):
            rows.append(row)
            yield len(rows)
    _write_lists(series.folder, rows)


_at_work: list[Series] = []
"""The series a worker process makes: sent once at its start, for it may carry megabytes of real signatures."""


def _set_up_process(series: Series) -> None:
    cv2.setNumThreads(1)
    _at_work.append(series)


def _write_numbered(number: int) -> tuple[list[str], list[list[str]]]:
    return _write_page(_at_work[0], number)


def _write_page(series: Series, number: int) -> tuple[list[str], list[list[str]]]:
    """Write one page and its label; returns its line of index.csv and its lines of other_classes.csv."""
    page, data, ending = series.scanned(number)
    stem = f"s{series.seed}-{number:06d}"
    images = series.folder / "images" / SOURCE
    # An earlier run with other options may have drawn another page of this number, whose label is about to go.
    for former in ENDINGS:
        (images / f"{stem}{former}").unlink(missing_ok=True)
    (images / f"{stem}{ending}").write_bytes(data)
    kinds = list(CLASSES) if series.all_kinds else ["signature"]
    lines = [_label_line(kind, box, page.pixels) for kind, box in page.boxes if kind in kinds]
    (series.folder / "labels" / SOURCE / f"{stem}.txt").write_text("".join(lines), encoding="utf-8")
    return _index_row(page, stem, ending, len(data)), _other_rows(page, stem + ending)


def encoded(pixels: Pixels, rng: np.random.Generator) -> tuple[bytes, str]:
    """Bilevel pages as one-bit PNG, others as JPEG of varying quality; returns bytes and file ending."""
    if pixels.ndim == 2:
        return cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_BILEVEL, 1])[1].tobytes(), ".png"
    quality = int(rng.choice([45, 60, 75, 85, 92], p=[0.08, 0.17, 0.3, 0.3, 0.15]))
    turned = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", turned, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes(), ".jpg"


def normalised(box: Box, pixels: Pixels) -> tuple[float, float, float, float]:
    """A box in px as centre and size, in shares of the page."""
    height, width = pixels.shape[:2]
    x0, y0, x1, y1 = box
    return (x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height


def _label_line(kind: Kind, box: Box, pixels: Pixels) -> str:
    return f"{CLASSES[kind]} " + " ".join(f"{value:.6f}" for value in normalised(box, pixels)) + "\n"


def _index_row(page: SyntheticPage, stem: str, ending: str, size: int) -> list[str]:
    height, width = page.pixels.shape[:2]
    found = len(page.signatures)
    kinds = {kind for kind, _ in page.boxes}
    tags = [page.language, page.recipe, page.scanner, "signed" if found else "unsigned"]
    tags += [kind for kind in ("initials", "stamp", "handwriting") if kind in kinds]
    tags += [SIGNATURES_ONLY] if page.only_signatures else []
    tags += [page.shown_as] if page.shown_as else []
    facts = [SOURCE, f"{stem}{ending}", width, height, found, f"syn:{stem}", stem, ",".join(tags), "", size, "train"]
    return [str(fact) for fact in facts]


def _other_rows(page: SyntheticPage, file: str) -> list[list[str]]:
    others = [(kind, box) for kind, box in page.boxes if kind != "signature"]
    return [[SOURCE, file, kind, *(f"{value:.6f}" for value in normalised(box, page.pixels))] for kind, box in others]


def _write_lists(folder: Path, rows: list[tuple[list[str], list[list[str]]]]) -> None:
    """Write both lists, keeping the lines of other pages that an earlier run put into the same folder."""
    new = {Path(index[1]).stem for index, _ in rows}
    _rewrite_csv(folder / "index.csv", INDEX_HEAD, [index for index, _ in rows], new)
    _rewrite_csv(folder / "other_classes.csv", OTHER_HEAD, [line for _, others in rows for line in others], new)


def _rewrite_csv(path: Path, head: list[str], rows: list[list[str]], new: set[str]) -> None:
    kept: list[list[str]] = []
    if path.exists():
        with path.open(newline="", encoding="utf-8") as lines:
            kept = [line for line in list(csv.reader(lines))[1:] if Path(line[1]).stem not in new]
    with path.open("w", newline="", encoding="utf-8") as lines:
        csv.writer(lines, lineterminator="\n").writerows([head, *kept, *rows])
