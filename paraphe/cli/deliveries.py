"""``paraphe deliveries``: what was sent, what was not, and sending it once more."""

import json
from itertools import islice
from typing import Annotated

import typer

from paraphe.cli.connection import DEFAULT_DATA, ApiKey, Data, Url, connected

deliveries_app = typer.Typer(help="Look at webhooks and mails; send them once more.", no_args_is_help=True)

Operators = Annotated[
    bool, typer.Option("--operators", help="Notices to those who run this installation (administrator's key).")
]


@deliveries_app.command("list")
def list_deliveries(
    state: Annotated[list[str] | None, typer.Option(help="pending, delivered, failed, disabled; repeatable.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every attempt.")] = False,
    operators: Operators = False,
    url: Url = None,
    key: ApiKey = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """List deliveries, newest first."""
    from paraphe.cli.notification_tables import deliveries_table
    from paraphe.cli.tables import out

    with connected(url, key, data) as client:
        found = client.deliveries(state=state or (), to=_audience(operators), page_size=min(limit, 200))
        shown = list(islice(found, limit))
    if as_json:
        typer.echo(json.dumps([one.raw for one in shown], indent=2))
    else:
        out().print(deliveries_table(shown))


@deliveries_app.command("replay")
def replay_deliveries(
    delivery_ids: Annotated[list[str] | None, typer.Argument(metavar="ID…")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="All that were given up.")] = False,
    operators: Operators = False,
    url: Url = None,
    key: ApiKey = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Send deliveries once more, each with all its attempts."""
    if bool(delivery_ids) == failed:
        raise typer.BadParameter("give either ids or --failed")
    to = _audience(operators)
    with connected(url, key, data) as client:
        # The whole list first: what is replayed leaves it, and pages would shift under our feet.
        chosen = delivery_ids or [one.id for one in list(client.deliveries(state=["failed"], to=to))]
        for delivery_id in chosen:
            client.replay_delivery(delivery_id, to=to)
            typer.echo(f"{delivery_id} is sent once more")
    if not chosen:
        typer.echo("none was given up")


def _audience(operators: bool) -> str:
    return "operators" if operators else "client"
