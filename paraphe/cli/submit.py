"""``paraphe submit``: many documents at once."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from paraphe.cli.connection import DEFAULT_DATA, ApiKey, Data, Url, connected

if TYPE_CHECKING:
    from paraphe.answers import Job
    from paraphe.api_errors import ParapheApiError
    from paraphe.client import Client, PriorityName

_AT_ONCE = 8
_SOME_FAILED = 3
# The server refuses the caller, not the document: no other document would fare better.
_HOPELESS = frozenset({401, 403})


@dataclass(frozen=True)
class Submission:
    """What became of one file: a job, or a refusal."""

    file: Path
    job: "Job | None" = None
    refusal: "ParapheApiError | None" = None

    @property
    def is_failed(self) -> bool:
        """Whether there is, or will be, no verdict."""
        return self.job is None or self.job.status in ("failed", "canceled")

    @property
    def fault(self) -> tuple[str, str, str] | None:
        """(file, code, detail) of a refusal or a failed job."""
        said = self.refusal or (self.job.error if self.job else None)
        return (self.file.name, said.code, said.detail) if said else None

    def as_json(self) -> dict[str, Any]:
        """``{"file", "job"}`` or ``{"file", "error": {"code", "detail"}}``."""
        if self.job is not None:
            return {"file": str(self.file), "job": self.job.raw}
        error = self.refusal
        return {"file": str(self.file), "error": {"code": error.code, "detail": error.detail} if error else None}


@dataclass(frozen=True)
class Order:
    """How each file is to be examined."""

    wait: bool
    model: str | None
    priority: "PriorityName | None"
    min_signatures: int | None
    out: Path | None


def submit(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True, help="Documents.")],
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the outcomes.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the jobs as JSON.")] = False,
    min_signatures: Annotated[
        int | None, typer.Option(min=0, help="Signed means at least so many signatures.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(file_okay=False, help="Write annotated pages here (waits).", show_default=False)
    ] = None,
    model: Annotated[str | None, typer.Option(help="Model to use.", show_default=False)] = None,
    priority: Annotated[
        str | None, typer.Option(help="interactive, normal or bulk.", show_default=False, metavar="PRIORITY")
    ] = None,
    url: Url = None,
    key: ApiKey = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Send documents to be examined.

    Exit status: 0 if all were decided (or accepted, without --wait), 3 if some failed, 1 if nothing could be asked.
    """
    if priority not in (None, "interactive", "normal", "bulk"):
        raise typer.BadParameter("must be interactive, normal or bulk", param_hint="--priority")
    order = Order(wait or out is not None, model, priority, min_signatures, out)  # type: ignore[arg-type]
    with connected(url, key, data) as client:
        submissions = _submit_all(client, files, order)
    if as_json:
        typer.echo(json.dumps([one.as_json() for one in submissions], indent=2))
    else:
        _show(submissions, decided=order.wait)
    if any(one.is_failed for one in submissions):
        raise typer.Exit(_SOME_FAILED)


def _submit_all(client: "Client", files: Sequence[Path], order: Order) -> list[Submission]:
    """All files, several at once, in the order given."""
    names = _page_names(files)
    with ThreadPoolExecutor(_AT_ONCE) as pool, _progress(len(files)) as advance:
        futures = [pool.submit(_submit_one, client, file, names[file], order) for file in files]
        try:
            for future in as_completed(futures):
                future.result()
                advance()
        except BaseException:
            _abandon(futures)
            raise
    return [future.result() for future in futures]


def _submit_one(client: "Client", file: Path, page_name: str, order: Order) -> Submission:
    from paraphe.api_errors import ParapheApiError

    requirements = None if order.min_signatures is None else {"min_signatures": order.min_signatures}
    try:
        job = client.submit(file, model=order.model, priority=order.priority, requirements=requirements)
    except ParapheApiError as error:
        if error.status in _HOPELESS:
            raise
        return Submission(file, refusal=error)
    if order.wait:
        job = client.wait(job)
    if order.out is not None and job.result is not None:
        _write_pages(client, job, page_name, order.out)
    return Submission(file, job)


def _write_pages(client: "Client", job: "Job", name: str, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for page in job.result.pages if job.result else ():
        image = client.page_image(job.id, page.number, annotated=True)
        (out / f"{name}.page-{page.number}.png").write_bytes(image)


def _page_names(files: Sequence[Path]) -> dict[Path, str]:
    """A name for each file's pages: its own, numbered where files of several folders share it."""
    names: dict[Path, str] = {}
    seen: dict[str, int] = {}
    for file in files:
        if file in names:
            continue
        seen[file.name] = seen.get(file.name, 0) + 1
        names[file] = file.name if seen[file.name] == 1 else f"{file.stem}-{seen[file.name]}{file.suffix}"
    return names


def _abandon(futures: Sequence["Future[Submission]"]) -> None:
    for future in futures:
        future.cancel()


@contextmanager
def _progress(total: int) -> "Iterator[Any]":
    """A bar on standard error while it lasts; yields what moves it by one."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("documents", total=total)
        yield lambda: progress.advance(task)


def _show(submissions: Sequence[Submission], *, decided: bool) -> None:
    from paraphe.cli.tables import faults, job_list_table, jobs_table, out

    accepted = [(one.file.name, one.job) for one in submissions if one.job is not None]
    console = out()
    if accepted:
        console.print(jobs_table(accepted) if decided else job_list_table(job for _, job in accepted))
    for line in faults(one.fault for one in submissions if one.fault is not None):
        console.print(line, highlight=False, soft_wrap=True)
