"""Dataset folders that are there whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.trainer.dataset import DatasetError


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Where to build a folder, from nothing: it is called out once all went well.

    DatasetError: out is there already.
    """
    if out.exists():
        raise DatasetError(f"{out} is there already; name a new folder")
    unfinished = out.with_name(out.name + ".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    yield unfinished
    unfinished.rename(out)
