"""``paraphe alerts``: what Alertmanager has told of."""

from itertools import islice
from typing import Annotated

import typer

from paraphe.cli.connection import DEFAULT_DATA, ApiKey, Data, Url, connected

alerts_app = typer.Typer(help="Alerts as Alertmanager told of them (needs an administrator's key).")


@alerts_app.callback()
def alerts() -> None:
    """Alerts as Alertmanager told of them (needs an administrator's key)."""


@alerts_app.command("list")
def list_alerts(
    state: Annotated[str | None, typer.Option(help="firing or resolved.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    url: Url = None,
    key: ApiKey = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """List alerts, newest first."""
    from paraphe.cli.notification_tables import alerts_table
    from paraphe.cli.tables import out

    with connected(url, key, data) as client:
        found = list(islice(client.alerts(state=state, page_size=min(limit, 200)), limit))
    out().print(alerts_table(found))
