"""``paraphe submit``: many documents at once."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
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
class Fault:
    """What went wrong with one file. ``detail`` is for people; ``beside`` goes into JSON, also in its place."""

    code: str
    detail: str
    beside: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """``{"code", "detail", "errors", "request_id"}``, of the last two what there is."""
        return {"code": self.code, "detail": self.detail, **self.beside}


@dataclass(frozen=True)
class Submission:
    """What became of one file: a job, a fault of the file or of its pages, or both."""

    file: Path
    job: "Job | None" = None
    fault: Fault | None = None

    @property
    def is_failed(self) -> bool:
        """Whether there is, or will be, no verdict, or not all that was asked for."""
        return self.fault is not None or self.job is None or self.job.status in ("failed", "canceled")

    @property
    def name(self) -> str:
        """The file's name, as it can be printed."""
        from paraphe.client import readable_name

        return readable_name(self.file)

    @property
    def complaint(self) -> tuple[str, str, str] | None:
        """(file, code, detail) of a fault or a failed job."""
        if self.fault:
            return self.name, self.fault.code, self.fault.detail
        error = self.job.error if self.job else None
        return (self.name, error.code, error.detail) if error else None

    def as_json(self) -> dict[str, Any]:
        """``{"file", "job", "error"}``, of the last two what there is."""
        job = {"job": self.job.raw} if self.job else {}
        return {"file": str(self.file), **job, **({"error": self.fault.as_json()} if self.fault else {})}


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
    accepted: dict[str, Submission] = {}
    futures: list[Future[Submission]] = [Future() for _ in files]
    try:
        _in_background(lambda file: _submit_one(client, file, names[file], order, accepted), files, futures)
        with _progress(len(files)) as advance:
            for future in as_completed(futures):
                future.result()
                advance()
    except BaseException as error:
        for future in futures:
            future.cancel()
        # Not where the server refused the caller, or is not there: whoever was sending fares no better.
        is_sending = isinstance(error, KeyboardInterrupt) and any(future.running() for future in futures)
        _tell_accepted(accepted, is_sending=is_sending)
        raise
    return [future.result() for future in futures]


def _in_background(
    work: Callable[[Path], Submission], files: Sequence[Path], futures: Sequence[Future[Submission]]
) -> None:
    """Have ``work`` done on each file, for the future in its place, by a few threads that nobody waits for at the end.

    Not those of an executor: Python itself waits for them, and they may wait for a server for long.
    """
    todo: SimpleQueue[tuple[Path, Future[Submission]]] = SimpleQueue()
    for one in zip(files, futures, strict=True):
        todo.put(one)

    def work_off() -> None:
        with suppress(Empty):
            while True:
                file, future = todo.get_nowait()
                if not future.set_running_or_notify_cancel():
                    continue
                try:
                    future.set_result(work(file))
                except BaseException as error:  # raised where the result is asked for
                    future.set_exception(error)

    for _ in range(_AT_ONCE):
        Thread(target=work_off, daemon=True).start()


def _submit_one(
    client: "Client", file: Path, page_name: str, order: Order, accepted: dict[str, Submission]
) -> Submission:
    from paraphe.api_errors import ParapheApiError

    requirements = None if order.min_signatures is None else {"min_signatures": order.min_signatures}
    job = None
    try:
        job = client.submit(file, model=order.model, priority=order.priority, requirements=requirements)
        accepted[job.id] = Submission(file, job)
        if order.wait:
            job = client.wait(job)
        if order.out is not None and job.result is not None:
            _write_pages(client, job, page_name, order.out)
    except ParapheApiError as error:
        if error.status in _HOPELESS:
            raise
        return Submission(file, job, _refusal(error))
    except OSError as error:
        return Submission(file, job, _own_fault(error, None if job is None else order.out))
    return Submission(file, job)


def _refusal(error: "ParapheApiError") -> Fault:
    told = {"detail": error.detail, "errors": error.errors, "request_id": error.request_id}
    return Fault(error.code, error.explanation, {name: value for name, value in told.items() if value})


def _own_fault(error: OSError, out: Path | None) -> Fault:
    """``out`` is where the pages go; None when it was the document that could not be read."""
    why = error.strerror or str(error)
    if out is None:
        return Fault("unreadable", f"The file could not be read: {why}.")
    return Fault("not_written", f"Its pages could not be written to {out}: {why}.")


def _tell_accepted(accepted: Mapping[str, Submission], *, is_sending: bool) -> None:
    """Whoever cuts a submission short has to know what goes on without it."""
    if accepted:
        typer.echo("Accepted until then; what was just being sent may have been, too (`paraphe jobs list`):", err=True)
    elif is_sending:
        typer.echo("What was just being sent may have been accepted (`paraphe jobs list`).", err=True)
    for job_id, one in list(accepted.items()):
        typer.echo(f"  {job_id} {one.name}", err=True)


def _write_pages(client: "Client", job: "Job", name: str, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for page in job.result.pages if job.result else ():
        image = client.page_image(job.id, page.number, annotated=True)
        (out / f"{name}.page-{page.number}.png").write_bytes(image)


def _page_names(files: Sequence[Path]) -> dict[Path, str]:
    """A name of its own for each file's pages: the file's, numbered where another has it already."""
    names: dict[Path, str] = {}
    taken: set[str] = set()
    numbers = Counter[str]()
    for file in dict.fromkeys(files):
        name = file.name
        while name in taken:
            numbers[file.name] += 1
            name = f"{file.stem}-{numbers[file.name] + 1}{file.suffix}"
        taken.add(name)
        names[file] = name
    return names


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

    accepted = [(one.name, one.job) for one in submissions if one.job is not None]
    console = out()
    if accepted:
        console.print(jobs_table(accepted) if decided else job_list_table(job for _, job in accepted))
    for line in faults(one.complaint for one in submissions if one.complaint is not None):
        console.print(line, highlight=False, soft_wrap=True)
