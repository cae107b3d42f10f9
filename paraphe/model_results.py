"""A model version's recorded results as a table: the README's is made here, so that it cannot say anything else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HEADINGS = ("measured on", "pages", "signatures", "P", "R", "F1", "mAP50", "mAP50-95", "pages right", "false / 100")
_PERCENT = ("precision", "recall", "f1", "map50", "map50_95", "page_accuracy")


def rows(folder: Path) -> Iterator[tuple[str, ...]]:
    """Cells by HEADINGS, in percent: each recorded measurement, then its sources that hold signatures.

    folder is a model version's, measured by ``paraphe model evaluate --record``. "false / 100" are false signatures
    for each 100 unsigned pages.
    """
    for name, measured in json.loads((folder / "model.json").read_text())["metrics"].items():
        yield _row(name, measured)
        for source, values in measured["sources"].items():
            if values["boxes"]:
                yield _row(f"{name}: {source.removeprefix('source:')}", values)


def as_markdown(folder: Path) -> str:
    """The same as a Markdown table."""
    lines = [HEADINGS, ("---", *["---:"] * (len(HEADINGS) - 1)), *rows(folder)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(name: str, measured: dict[str, Any]) -> tuple[str, ...]:
    shares = [_cell(measured[measure]["value"], 100) for measure in _PERCENT]
    false_alarms = _cell(measured["false_per_100_unsigned"]["value"], 1)
    return (name, str(measured["pages"]), str(measured["boxes"]), *shares, false_alarms)


def _cell(value: float | None, scale: int) -> str:
    return "-" if value is None else f"{scale * value:.1f}"
