"""``paraphe keys``: who may do what."""

from typing import Annotated

import typer

from paraphe.cli.connection import DEFAULT_DATA, ApiKey, Data, Url, connected

keys_app = typer.Typer(help="Make, list and revoke API keys (needs an administrator's key).", no_args_is_help=True)

_DEFAULT_SCOPES = ("submit", "read")


@keys_app.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    scope: Annotated[
        list[str] | None, typer.Option(help="submit, read, review, admin; repeatable. Default: submit and read.")
    ] = None,
    client_name: Annotated[
        str | None, typer.Option("--client", help="Whose key; default: your own client's.", show_default=False)
    ] = None,
    rate: Annotated[int | None, typer.Option(min=1, help="Requests a minute.", show_default=False)] = None,
    url: Url = None,
    key: ApiKey = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Make a key. Its secret is shown this once."""
    with connected(url, key, data) as client:
        made = client.create_key(name, scope or _DEFAULT_SCOPES, client=client_name, requests_per_minute=rate)
    typer.echo(made.secret)
    typer.echo(f"id {made.key.id}, client {made.key.client}, scopes {', '.join(made.key.scopes)}", err=True)
    if made.webhook_secret:
        typer.echo(f"deliveries to this client are signed with {made.webhook_secret}", err=True)
    typer.echo("The key is shown this once.", err=True)


@keys_app.command("list")
def list_keys(url: Url = None, key: ApiKey = None, data: Data = DEFAULT_DATA) -> None:
    """List all keys, without their secrets."""
    from paraphe.cli.tables import keys_table, out

    with connected(url, key, data) as client:
        keys = client.list_keys()
    out().print(keys_table(keys))


@keys_app.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="ID")],
    url: Url = None,
    key: ApiKey = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """End a key at once."""
    with connected(url, key, data) as client:
        client.revoke_key(key_id)
    typer.echo(f"{key_id} revoked")
