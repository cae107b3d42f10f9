"""A dataset folder in the layout that ``services.trainer.dataset`` reads, written whole or not at all."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.scratch import held_folder

# Whatever it is to become: a command that was killed has told nobody of its pages, so the next one beside it clears up.
_UNFINISHED = ".paraphe-dataset-"

_COLUMNS = ("source", "file", "width", "height", "n_boxes", "group", "doc", "tags")

Row = Mapping[str, object]
"""A page's line of index.csv, by column."""


@dataclass(frozen=True, slots=True)
class Written:
    """How many pages of how many documents are in the dataset, and what could not be drawn and was left out."""

    pages: int
    documents: int
    left_out: Sequence[str]


class FolderNotEmptyError(Exception):
    """Nothing was written; the message says why."""


@contextmanager
def new_dataset(out: Path, source: str) -> Iterator[Path]:
    """A folder to fill with the pages of one source and their index; it becomes ``out`` when the block ends well.

    FolderNotEmptyError when ``out`` holds anything, or is none.
    """
    out = out.absolute()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FolderNotEmptyError(f"{out} is not empty; name a new folder.")
    out.parent.mkdir(parents=True, exist_ok=True)
    with held_folder(out.parent, _UNFINISHED) as held:
        folder = held / "dataset"
        for part in ("images", "labels"):
            (folder / part / source).mkdir(parents=True)
        yield folder
        if out.exists():
            out.rmdir()
        folder.rename(out)


def write_index(folder: Path, rows: Iterable[Row]) -> None:
    """The list of the pages that lie in the folder."""
    with (folder / "index.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
