"""Pictures of an evaluation: precision against recall, calibration, and a gallery of the worst errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from services.trainer.evaluation import Examination
from services.trainer.metrics import Floats, Tally, match
from services.trainer.packing import reduce_page

_TILE = (420, 300)
_MARGIN = 0.6  # of the box's size shown around it
_GREEN, _RED, _BLUE = (0, 140, 60), (205, 30, 30), (40, 70, 200)


def draw_report(examinations: Sequence[Examination], table: Tally, report: dict[str, Any], folder: Path) -> None:
    """Write pr.png, calibration.png and errors.png into folder."""
    folder.mkdir(parents=True, exist_ok=True)
    _draw_precision_recall(table, folder / "pr.png")
    _draw_calibration(report["calibration"]["bins"], folder / "calibration.png")
    draw_gallery(examinations, table.accept, folder / "errors.png")


def precision_recall(table: Tally) -> tuple[Floats, Floats]:
    """Recall and precision after each detection, by falling confidence, at IoU 0.5."""
    right = table.correct[:, 0].cumsum()
    return right / max(int(table.true_count.sum()), 1), right / np.arange(1, len(right) + 1)


def _draw_precision_recall(table: Tally, path: Path) -> None:
    figure, axes = _figure()
    recall, precision = precision_recall(table)
    axes.plot(recall, precision)
    accepted = int((table.confidence >= table.accept).sum())
    if accepted:
        axes.plot(recall[accepted - 1], precision[accepted - 1], "o", label=f"accept at {table.accept:g}")
        axes.legend(loc="lower left")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.01), ylim=(0, 1.01), title="IoU 0.5")
    figure.savefig(path, dpi=110)


def _draw_calibration(bins: Sequence[dict[str, float]], path: Path) -> None:
    figure, axes = _figure()
    axes.plot([0, 1], [0, 1], color="0.7")
    axes.plot([row["confidence"] for row in bins], [row["correct"] for row in bins], "o-")
    for row in bins:
        axes.annotate(f"{row['count']:.0f}", (row["confidence"], row["correct"]), fontsize=8)
    axes.set(xlabel="confidence", ylabel="share that is right", xlim=(0, 1), ylim=(0, 1.01), title="calibration")
    figure.savefig(path, dpi=110)


def _figure() -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.add_subplot()
    axes.grid(alpha=0.3)
    return figure, axes


@dataclass(frozen=True)
class Mistake:
    """A true box not found (confidence None) or a detection that is none; severity orders the gallery."""

    examination: Examination
    box: Floats
    confidence: float | None
    severity: float


def mistakes(examinations: Sequence[Examination], accept: float) -> list[Mistake]:
    """All misses and false alarms at the threshold, the worst first: sure false alarms, misses with no trace."""
    found = [mistake for one in examinations for mistake in _mistakes_of(one, accept)]
    return sorted(found, key=lambda mistake: -mistake.severity)


def _mistakes_of(one: Examination, accept: float) -> Iterator[Mistake]:
    page = one.page
    order = np.argsort(-page.confidence, kind="stable")
    given = match(page.truth, page.found[order])[:, 0]
    sure = page.confidence[order] >= accept
    for row in np.flatnonzero(sure & (given < 0)):
        confidence = float(page.confidence[order][row])
        yield Mistake(one, page.found[order][row], confidence, confidence)
    traces = {int(given[row]): float(page.confidence[order][row]) for row in np.flatnonzero(~sure & (given >= 0))}
    for number in set(range(len(page.truth))) - set(given[sure].tolist()):
        yield Mistake(one, page.truth[number], None, 1 - traces.get(number, 0.0))


def draw_gallery(examinations: Sequence[Examination], accept: float, path: Path, most: int = 40) -> int:
    """Write a contact sheet of the worst mistakes and return how many there were: true green, found blue, false red."""
    found = mistakes(examinations, accept)
    shown = found[:most]
    columns = 4
    rows = max(1, -(-len(shown) // columns))
    sheet = Image.new("RGB", (columns * _TILE[0], rows * _TILE[1]), "white")
    for number, mistake in enumerate(shown):
        sheet.paste(_tile(mistake, accept), (number % columns * _TILE[0], number // columns * _TILE[1]))
    sheet.save(path)
    return len(found)


def _tile(mistake: Mistake, accept: float) -> Image.Image:
    one = mistake.examination
    page = reduce_page(one.labelled.path, max(one.size))[0].convert("RGB")
    draw = ImageDraw.Draw(page)
    width = max(2, max(one.size) // 500)
    for box, confidence in zip(one.page.found, one.page.confidence, strict=True):
        if confidence >= accept:
            draw.rectangle(box.tolist(), outline=_BLUE, width=width)
    for box in one.page.truth:
        draw.rectangle(box.tolist(), outline=_GREEN, width=width)
    if mistake.confidence is not None:
        draw.rectangle(mistake.box.tolist(), outline=_RED, width=width)
    return _captioned(page.crop(_surroundings(mistake.box, page.size)), mistake)


def _surroundings(box: Floats, size: tuple[int, int]) -> tuple[int, int, int, int]:
    left, top, right, bottom = box.tolist()
    across, down = max(right - left, size[0] / 8) * _MARGIN, max(bottom - top, size[1] / 16) * _MARGIN
    low = max(0, int(left - across)), max(0, int(top - down))
    return *low, min(size[0], int(right + across)), min(size[1], int(bottom + down))


def _captioned(crop: Image.Image, mistake: Mistake) -> Image.Image:
    tile = Image.new("RGB", _TILE, "white")
    crop.thumbnail((_TILE[0] - 10, _TILE[1] - 24))
    tile.paste(crop, (5, 20))
    verdict = "missed" if mistake.confidence is None else f"false alarm {mistake.confidence:.2f}"
    ImageDraw.Draw(tile).text((5, 3), f"{verdict}  {mistake.examination.labelled.name}"[:66], fill="black")
    return tile
