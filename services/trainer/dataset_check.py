"""Finds what is wrong with a dataset before anything is built or trained from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from PIL import Image

from services.trainer.dataset import LabelledBox, LabelledPage
from shared.domain.labels import KINDS

_HASH_SIDE = 16
_NEAR = 10  # differing bits of 256 up to which two pages count as the same picture
_LEAST_CONTRAST = 24  # bits set: a nearly blank page looks like every other one and says nothing
_SLACK = 0.002  # share of the page that rounding may push a box over the edge


class Fault(StrEnum):
    """What can be wrong. A duplicate is reported only where it could leak from one split into another."""

    MISSING_IMAGE = "missing image"
    BROKEN_IMAGE = "broken image"
    MISSING_LABEL = "missing label"
    BOX_COUNT = "box count"
    BOX_OUTSIDE = "box outside the page"
    BOX_EMPTY = "empty box"
    UNKNOWN_CLASS = "unknown class"
    SPLIT_GROUP = "group in two splits"
    DUPLICATE = "near-duplicate across groups"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, with the page it is wrong with."""

    page: str
    fault: Fault
    detail: str

    def __str__(self) -> str:
        return f"{self.page}: {self.fault}: {self.detail}"


def check(pages: Sequence[LabelledPage]) -> list[Problem]:
    """Every problem of the pages, in their order; an empty list means fit for use."""
    with ThreadPoolExecutor() as workers:
        looked = list(workers.map(_look, pages))
    problems = [problem for page, _ in zip(pages, looked, strict=True) for problem in _label_problems(page)]
    problems += [outcome for outcome in looked if isinstance(outcome, Problem)]
    hashes = [(page, seen) for page, seen in zip(pages, looked, strict=True) if not isinstance(seen, Problem)]
    return [*problems, *_group_problems(pages), *_duplicates(hashes)]


def _label_problems(page: LabelledPage) -> Iterable[Problem]:
    if not page.labelled:
        yield Problem(page.name, Fault.MISSING_LABEL, "write an empty label file if the page holds no signature")
    signatures = sum(box.kind == 0 for box in page.boxes)
    if page.expected_boxes is not None and page.expected_boxes != signatures:
        detail = f"the index says {page.expected_boxes} signatures, the label file holds {signatures}"
        yield Problem(page.name, Fault.MISSING_LABEL if not page.boxes else Fault.BOX_COUNT, detail)
    yield from unknown_classes(page)
    for number, box in enumerate(page.boxes):
        yield from _box_problems(page, number, box)


def unknown_classes(page: LabelledPage) -> Iterable[Problem]:
    """The boxes of a page whose class is none of KINDS."""
    for number, box in enumerate(page.boxes):
        if not 0 <= box.kind < len(KINDS):
            yield Problem(page.name, Fault.UNKNOWN_CLASS, f"box {number} is of class {box.kind}")


def _box_problems(page: LabelledPage, number: int, box: LabelledBox) -> Iterable[Problem]:
    if box.width <= 0 or box.height <= 0:
        yield Problem(page.name, Fault.BOX_EMPTY, f"box {number} measures {box.width} x {box.height}")
    left, top = box.cx - box.width / 2, box.cy - box.height / 2
    if min(left, top) < -_SLACK or max(left + box.width, top + box.height) > 1 + _SLACK:
        yield Problem(page.name, Fault.BOX_OUTSIDE, f"box {number} spans {left:.3f} {top:.3f} and on")


def _look(page: LabelledPage) -> npt.NDArray[np.bool_] | Problem:
    if not page.path.is_file():
        return Problem(page.name, Fault.MISSING_IMAGE, str(page.path))
    try:
        with Image.open(page.path) as image:
            return perceptual_hash(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return Problem(page.name, Fault.BROKEN_IMAGE, str(error))


def perceptual_hash(image: Image.Image) -> npt.NDArray[np.bool_]:
    """256 bits that hardly change when a page is scaled, compressed or toned: which cell is darker than the next."""
    grey = image.convert("L").resize((_HASH_SIDE + 1, _HASH_SIDE), Image.Resampling.BOX)
    cells = np.asarray(grey, dtype=np.int16)
    return np.asarray((cells[:, 1:] > cells[:, :-1] + 2).ravel())


def _group_problems(pages: Sequence[LabelledPage]) -> Iterable[Problem]:
    splits: dict[str, set[str]] = {}
    for page in pages:
        splits.setdefault(page.group, set()).add(page.split or "")
    for group, found in splits.items():
        if len(found) > 1:
            yield Problem(group, Fault.SPLIT_GROUP, f"pages in {', '.join(sorted(name or 'none' for name in found))}")


def _duplicates(hashes: Sequence[tuple[LabelledPage, npt.NDArray[np.bool_] | Problem]]) -> Iterable[Problem]:
    if not hashes:
        return
    bits = np.array([seen for _, seen in hashes], dtype=np.float32)
    set_bits = bits.sum(1)
    differing = set_bits[:, None] + set_bits[None] - 2 * bits @ bits.T
    telling = set_bits >= _LEAST_CONTRAST
    near = (differing <= _NEAR) & telling[:, None] & telling[None]
    for first, second in np.argwhere(np.triu(near, 1)).tolist():
        one, other = hashes[first][0], hashes[second][0]
        if one.group != other.group and one.split != other.split:
            detail = f"looks like {other.name} ({differing[first, second]:.0f} of {bits.shape[1]} bits differ)"
            yield Problem(one.name, Fault.DUPLICATE, detail)
