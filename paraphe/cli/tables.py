"""How jobs look at a terminal of 80 columns or more."""

import os
from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from paraphe.answers import Job, Key

_COLOURS = {"signed": "green", "unsigned": "red", "review": "yellow", "failed": "bold red", "canceled": "dim"}
_WIDTH_INTO_FILES = 160


def out() -> Console:
    """Standard output; into a file or a pipe lines are wide, so that what is searched for stays on one."""
    console = Console()
    return console if console.is_terminal or "COLUMNS" in os.environ else Console(width=_WIDTH_INTO_FILES)


def jobs_table(named: Iterable[tuple[str, Job]], title: str | None = None) -> Table:
    """One row a document: what was found, how sure, how long it took."""
    table = _table(title)
    table.add_column("file", overflow="fold")
    for name in ("pages", "signatures"):
        table.add_column(name, justify="right")
    table.add_column("verdict")
    for name in ("confidence", "time"):
        table.add_column(name, justify="right")
    for name, job in named:
        table.add_row(escape(name), *_cells(job))
    return table


def faults(named: Iterable[tuple[str, str, str]]) -> list[str]:
    """One line for each (file, code, detail)."""
    return [f"[bold red]✗[/] {escape(name)}: [bold]{escape(code)}[/] {escape(detail)}" for name, code, detail in named]


def job_list_table(jobs: Iterable[Job]) -> Table:
    """One row a job: its verdict (and how many signatures), the code it failed with, or where it stands."""
    table = _table()
    table.add_column("job", no_wrap=True)
    table.add_column("created", no_wrap=True)
    table.add_column("file", overflow="fold")
    table.add_column("outcome", no_wrap=True)
    for job in jobs:
        created = f"{job.created_at.astimezone():%m-%d %H:%M}"
        table.add_row(job.id, created, escape(job.filename or ""), _outcome(job))
    return table


def detections_table(job: Job) -> Table:
    """One row a detection of a succeeded job; boxes in page pixels."""
    table = _table()
    for name in ("page", "kind", "confidence", "x", "y", "width", "height"):
        table.add_column(name, justify="left" if name == "kind" else "right")
    for page in job.result.pages if job.result else ():
        for found in page.detections:
            sides = (found.box.x, found.box.y, found.box.width, found.box.height)
            pixels = [f"{side:.0f}" for side in sides]
            table.add_row(str(page.number), found.kind, f"{found.confidence:.2f}", *pixels)
    return table


def keys_table(keys: Iterable[Key]) -> Table:
    """One row a key; revoked ones are dim."""
    table = _table()
    table.add_column("id", no_wrap=True)
    for name in ("name", "client", "may"):
        table.add_column(name, overflow="fold")
    for key in keys:
        may = "nothing: revoked" if key.revoked_at else " ".join(key.scopes)
        cells = (key.id, f"{escape(key.name)} [dim]{key.prefix}…[/]", escape(key.client), may)
        table.add_row(*cells, style="dim" if key.revoked_at else None)
    return table


def _table(title: str | None = None) -> Table:
    return Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False, padding=0)


def _cells(job: Job) -> tuple[str, str, str, str, str]:
    took = f"{job.seconds:.2f} s" if job.seconds is not None else ""
    if job.result is None:
        return "", "", _coloured(job.status), "", took
    sure = job.result.confidence
    confidence = f"{sure:.2f}" if sure is not None else ""
    return str(len(job.result.pages)), str(job.result.count), _coloured(job.result.verdict), confidence, took


def _outcome(job: Job) -> str:
    if job.result:
        return f"{_coloured(job.result.verdict)} [dim]({job.result.count})[/]"
    return f"[bold red]{escape(job.error.code)}[/]" if job.error else _coloured(job.status)


def _coloured(word: str) -> str:
    colour = _COLOURS.get(word)
    return f"[{colour}]{word}[/]" if colour else str(word)
