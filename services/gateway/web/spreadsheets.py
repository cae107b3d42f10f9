"""CSV for spreadsheets: streamed, and with nothing in it that one would take for a formula."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from fastapi.responses import StreamingResponse

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_answer(name: str, rows: Iterable[Iterable[Any]]) -> StreamingResponse:
    """The rows as a file to save, in UTF-8 with a mark by which spreadsheets know it."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_lines(rows), media_type="text/csv; charset=utf-8", headers=headers)


def _lines(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    yield "\ufeff"
    for row in rows:
        line = io.StringIO()
        csv.writer(line).writerow([_harmless(value) for value in row])
        yield line.getvalue()


def _harmless(value: Any) -> Any:
    """File names come from outside: a cell that begins like a formula is made text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
