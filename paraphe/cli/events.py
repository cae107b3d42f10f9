"""``paraphe events``: what happens to a job, as it happens."""

import json
from typing import Annotated

import typer

from paraphe.cli.connection import DEFAULT_DATA, ApiKey, Data, Url, connected


def events(
    job_id: Annotated[str, typer.Argument(metavar="JOB")],
    url: Url = None,
    key: ApiKey = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Follow a job's events until its outcome."""
    with connected(url, key, data) as client:
        for event in client.events(job_id):
            moment = event.occurred_at.astimezone()
            typer.echo(
                f"{moment:%H:%M:%S.%f} {event.kind} {json.dumps(dict(event.data)) if event.data else ''}".rstrip()
            )
