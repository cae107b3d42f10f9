"""``paraphe jobs``: look at jobs, cancel, replay and erase them."""

import json
from itertools import islice
from typing import Annotated

import typer

from paraphe.cli.connection import DEFAULT_DATA, ApiKey, Data, Url, connected

jobs_app = typer.Typer(help="Look at jobs; cancel, replay or erase them.", no_args_is_help=True)

JobIds = Annotated[list[str], typer.Argument(help="Job ids.", metavar="JOB…")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@jobs_app.command("list")
def list_jobs(
    status: Annotated[
        list[str] | None, typer.Option(help="queued, processing, succeeded, failed, canceled; repeatable.")
    ] = None,
    verdict: Annotated[list[str] | None, typer.Option(help="signed, unsigned, review; repeatable.")] = None,
    tone: Annotated[list[str] | None, typer.Option(help="bilevel, grey, colour; repeatable.")] = None,
    metadata: Annotated[list[str] | None, typer.Option(help="KEY or KEY:VALUE; repeatable.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    as_json: AsJson = False,
    url: Url = None,
    key: ApiKey = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """List jobs, newest first."""
    from paraphe.cli.tables import job_list_table, out

    with connected(url, key, data) as client:
        found = client.jobs(
            status=status or (),
            verdict=verdict or (),
            tone=tone or (),
            metadata=metadata or (),
            page_size=min(limit, 200),
        )
        jobs = list(islice(found, limit))
    if as_json:
        typer.echo(json.dumps([job.raw for job in jobs], indent=2))
    else:
        out().print(job_list_table(jobs))


@jobs_app.command("show")
def show_job(
    job_id: Annotated[str, typer.Argument(metavar="JOB")],
    as_json: AsJson = False,
    url: Url = None,
    key: ApiKey = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """One job with everything that was found."""
    from paraphe.cli.tables import detections_table, faults, job_list_table, out

    with connected(url, key, data) as client:
        job = client.job(job_id)
    if as_json:
        typer.echo(json.dumps(job.raw, indent=2))
        return
    console = out()
    console.print(job_list_table([job]))
    if job.error:
        console.print(*faults([(job.filename or job.id, job.error.code, job.error.detail)]), highlight=False)
    if job.result:
        console.print(f"model {job.result.model_name} {job.result.model_version}", highlight=False)
        console.print(detections_table(job))


@jobs_app.command("cancel")
def cancel_jobs(job_ids: JobIds, url: Url = None, key: ApiKey = None, data: Data = DEFAULT_DATA) -> None:
    """Cancel jobs that have no outcome yet."""
    with connected(url, key, data) as client:
        for job_id in job_ids:
            typer.echo(f"{job_id} {client.cancel(job_id).status}")


@jobs_app.command("replay")
def replay_jobs(job_ids: JobIds, url: Url = None, key: ApiKey = None, data: Data = DEFAULT_DATA) -> None:
    """Give failed jobs a new set of attempts."""
    with connected(url, key, data) as client:
        for job_id in job_ids:
            typer.echo(f"{job_id} {client.replay(job_id).status}")


@jobs_app.command("erase")
def erase_jobs(
    job_ids: JobIds,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    url: Url = None,
    key: ApiKey = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Erase jobs with their documents, pages and results, for good."""
    if not yes:
        typer.confirm(f"Erase {len(job_ids)} job(s) with documents and results, for good?", abort=True)
    with connected(url, key, data) as client:
        for job_id in job_ids:
            client.erase(job_id)
            typer.echo(f"{job_id} erased")
