"""The command line. Each command imports what it needs when it runs, so that ``paraphe --help`` answers at once."""

from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from paraphe.cli.accounts import accounts_app
from paraphe.cli.alerts import alerts_app
from paraphe.cli.backup import backup, restore
from paraphe.cli.data import data_app
from paraphe.cli.deliveries import deliveries_app
from paraphe.cli.events import events
from paraphe.cli.jobs import jobs_app
from paraphe.cli.keys import keys_app
from paraphe.cli.metrics import metrics
from paraphe.cli.model import model_app
from paraphe.cli.settings import settings
from paraphe.cli.submit import submit
from paraphe.cli.subscriptions import subscriptions_app
from paraphe.cli.up import up


class Commands(TyperGroup):
    """Says which part of Paraphe a command lacks: an image, for one, carries what its service needs."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            lacking = str(error.name)
            if lacking.startswith(("paraphe", "shared", "services")) and not lacking.startswith("services.trainer"):
                raise  # ours, and in every image: a mistake
            typer.secho(
                f"{ctx.command_path} {ctx.invoked_subcommand} needs {lacking}, which is not installed here; "
                "pip install 'paraphe[trainer,local]' brings everything.",
                fg=typer.colors.RED,
                err=True,
            )
            raise typer.Exit(1) from error


app = typer.Typer(
    cls=Commands,
    help="Paraphe: find signatures on scanned documents, on your own machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(up)
app.command()(submit)
app.add_typer(jobs_app, name="jobs")
app.command()(events)
app.add_typer(keys_app, name="keys")
app.add_typer(subscriptions_app, name="subscriptions")
app.add_typer(deliveries_app, name="deliveries")
app.add_typer(alerts_app, name="alerts")
app.add_typer(accounts_app, name="accounts")
app.command()(backup)
app.command()(restore)
app.command()(settings)
app.command()(metrics)
app.add_typer(model_app, name="model")
app.add_typer(data_app, name="data")


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(version("paraphe"))
        raise typer.Exit


@app.callback()
def options(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop."),
    ] = False,
) -> None:
    """Paraphe: find signatures on scanned documents, on your own machine."""
