"""How jobs look at a terminal."""

from collections.abc import Iterable

from rich.markup import escape
from rich.table import Table

from paraphe.answers import Job, Key

_COLOURS = {"signed": "green", "unsigned": "red", "review": "yellow", "failed": "bold red", "canceled": "dim"}


def jobs_table(named: Iterable[tuple[str, Job]], title: str | None = None) -> Table:
    """One row a document: what was found, how sure, how long it took."""
    table = Table(title=title, title_justify="left")
    table.add_column("file", overflow="fold")
    for name in ("pages", "signatures"):
        table.add_column(name, justify="right")
    table.add_column("verdict")
    for name in ("confidence", "time"):
        table.add_column(name, justify="right")
    for name, job in named:
        table.add_row(escape(name), *_cells(job))
    return table


def refused_row(table: Table, name: str, code: str, detail: str) -> None:
    """A document that never became a job."""
    table.add_row(escape(name), "", "", f"[bold red]{escape(code)}[/] [dim]{escape(detail)}[/]", "", "")


def job_list_table(jobs: Iterable[Job]) -> Table:
    """One row a job, as the server lists them."""
    table = Table()
    for name in ("job", "created", "file", "status", "verdict", "signatures", "attempts"):
        table.add_column(name, no_wrap=name == "job")
    for job in jobs:
        table.add_row(
            job.id,
            f"{job.created_at.astimezone():%Y-%m-%d %H:%M:%S}",
            escape(job.filename or ""),
            _coloured(job.status),
            _coloured(job.result.verdict) if job.result else escape(job.error.code) if job.error else "",
            str(job.result.count) if job.result else "",
            str(job.attempts),
        )
    return table


def detections_table(job: Job) -> Table:
    """One row a detection of a succeeded job; boxes in page pixels."""
    table = Table()
    for name in ("page", "kind", "confidence", "x", "y", "width", "height"):
        table.add_column(name, justify="left" if name == "kind" else "right")
    for page in job.result.pages if job.result else ():
        for found in page.detections:
            sides = (found.box.x, found.box.y, found.box.width, found.box.height)
            table.add_row(
                str(page.number), found.kind, f"{found.confidence:.2f}", *(f"{pixels:.0f}" for pixels in sides)
            )
    return table


def keys_table(keys: Iterable[Key]) -> Table:
    """One row a key."""
    table = Table()
    for name in ("id", "name", "client", "begins with", "scopes", "a minute", "created", "revoked"):
        table.add_column(name, no_wrap=name == "id")
    for key in keys:
        revoked = f"{key.revoked_at.astimezone():%Y-%m-%d %H:%M}" if key.revoked_at else ""
        created = f"{key.created_at.astimezone():%Y-%m-%d %H:%M}"
        rate = str(key.requests_per_minute)
        table.add_row(
            key.id, escape(key.name), escape(key.client), key.prefix, ", ".join(key.scopes), rate, created, revoked
        )
    return table


def _cells(job: Job) -> tuple[str, str, str, str, str]:
    took = f"{job.seconds:.2f} s" if job.seconds is not None else ""
    if job.result is None:
        said = f"{_coloured(job.status)}"
        if job.error:
            said += f" {escape(job.error.code)}: [dim]{escape(job.error.detail)}[/]"
        return "", "", said, "", took
    sure = job.result.confidence
    return (
        str(len(job.result.pages)),
        str(job.result.count),
        _coloured(job.result.verdict),
        f"{sure:.2f}" if sure is not None else "",
        took,
    )


def _coloured(word: str) -> str:
    colour = _COLOURS.get(word)
    return f"[{colour}]{word}[/]" if colour else str(word)
