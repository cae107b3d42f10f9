"""``paraphe subscriptions``: who is told of what."""

from typing import Annotated

import typer

from paraphe.cli.connection import DEFAULT_DATA, ApiKey, Data, Url, connected

subscriptions_app = typer.Typer(
    help="Who is told of events: webhooks and mail (needs an administrator's key).", no_args_is_help=True
)


@subscriptions_app.command("add")
def add_subscription(
    address: Annotated[str, typer.Argument(help="A webhook's URL or a mail address.")],
    kind: Annotated[
        list[str] | None, typer.Option(help="Kind of event, e.g. job.failed; repeatable. Default: outcomes.")
    ] = None,
    language: Annotated[str | None, typer.Option(help="en or fr, for mail.", show_default=False)] = None,
    url: Url = None,
    key: ApiKey = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Tell an address of the events of all jobs of the key's client."""
    is_web = "://" in address
    with connected(url, key, data) as client:
        made = client.subscribe(
            url=address if is_web else None,
            email=None if is_web else address,
            kinds=kind or (),
            language=language,
        )
    typer.echo(made.id)
    typer.echo(f"{made.url} is told of {', '.join(made.kinds)}", err=True)


@subscriptions_app.command("list")
def list_subscriptions(url: Url = None, key: ApiKey = None, data: Data = DEFAULT_DATA) -> None:
    """List the subscriptions of the key's client."""
    from paraphe.cli.notification_tables import subscriptions_table
    from paraphe.cli.tables import out

    with connected(url, key, data) as client:
        found = client.subscriptions()
    out().print(subscriptions_table(found))


@subscriptions_app.command("remove")
def remove_subscription(
    subscription_id: Annotated[str, typer.Argument(metavar="ID")],
    url: Url = None,
    key: ApiKey = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """End a subscription, with what is still to be sent for it."""
    with connected(url, key, data) as client:
        client.unsubscribe(subscription_id)
    typer.echo(f"{subscription_id} removed")


@subscriptions_app.command("rotate-secret")
def rotate_secret(
    overlap_hours: Annotated[int, typer.Option(min=0, max=720, help="How long the present secret stays valid.")] = 24,
    url: Url = None,
    key: ApiKey = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Make a new secret for webhooks; for a while both sign."""
    with connected(url, key, data) as client:
        secret, until = client.rotate_webhook_secret(overlap_hours=overlap_hours)
    typer.echo(secret)
    typer.echo(f"the one before signs as well until {until.astimezone():%Y-%m-%d %H:%M}", err=True)
