"""CSV for spreadsheets: streamed, and with nothing in it that one would take for a formula."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any
from uuid import UUID

from fastapi.responses import StreamingResponse

Row = Iterable[Any]
PageOfRows = Callable[[UUID | None, int], Sequence[tuple[UUID, Row]]]
"""Reads up to so many rows, each with its id, that are older than the id; from the newest on without one."""

_AT_ONCE = 500
_MOST = 100_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def paged_rows(read: PageOfRows) -> Iterator[Row]:
    """All rows, newest first, read page by page while they are sent, up to a hundred thousand."""
    before: UUID | None = None
    for _ in range(_MOST // _AT_ONCE):
        rows = read(before, _AT_ONCE)
        yield from (row for _, row in rows)
        if len(rows) < _AT_ONCE:
            return
        before = rows[-1][0]


def csv_answer(name: str, head: Sequence[str], rows: Iterable[Row]) -> StreamingResponse:
    """Head and rows as a file to save, in UTF-8 with a mark by which spreadsheets know it."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_lines(chain([head], rows)), media_type="text/csv; charset=utf-8", headers=headers)


def _lines(rows: Iterable[Row]) -> Iterator[str]:
    yield "\ufeff"
    for row in rows:
        line = io.StringIO()
        csv.writer(line).writerow([_harmless(value) for value in row])
        yield line.getvalue()


def _harmless(value: Any) -> Any:
    """File names come from outside: a cell that begins like a formula is made text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
