"""``paraphe accounts``: people. Written to the database directly, for the first one has nobody to ask."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from paraphe.cli.connection import DEFAULT_DATA, Data

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from shared.db.accounts import Role

accounts_app = typer.Typer(
    help="Accounts of people, on the machine that runs Paraphe or with PARAPHE_POSTGRES_URL.", no_args_is_help=True
)

Email = Annotated[str, typer.Option(help="The person's e-mail address.")]
Client = Annotated[str, typer.Option("--client", help="Which client (organisation) the account belongs to.")]


@accounts_app.command("create")
def create_account(
    email: Email,
    role: Annotated[str, typer.Option(help="operator, data_scientist or administrator.")] = "operator",
    client_name: Client = "default",
    password: Annotated[
        str, typer.Option(envvar="PARAPHE_PASSWORD", prompt=True, hide_input=True, confirmation_prompt=True)
    ] = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """Make an account. The password is asked for, or taken from PARAPHE_PASSWORD."""
    from services.gateway.web import passwords
    from shared.db import accounts, audit, keys

    chosen = _role(role)
    if not accounts.is_email(accounts.normal_email(email)):
        _fail(f"{email} is no e-mail address.")
    _check_client_name(client_name)
    if fault := passwords.fault(password, email):
        _fail(f"The password will not do ({fault.removeprefix('password.').replace('_', ' ')}).")
    hashed = passwords.hash_password(password)
    with _database(data) as connection:
        owner = keys.ensure_client(connection, client_name)
        made = accounts.create(connection, owner.id, email, hashed, chosen)
        audit.write(connection, audit.Actor(owner.id), audit.Action.ACCOUNT_CREATED, made.email, role=chosen)
    typer.echo(f"{made.email}: {made.role} of {client_name}")


@accounts_app.command("list")
def list_accounts(client_name: Client = "default", data: Data = DEFAULT_DATA) -> None:
    """List the accounts of a client."""
    from shared.db import accounts, keys

    with _database(data) as connection:
        client = keys.client_named(connection, client_name)
        if client is None:
            _fail(f"There is no client '{client_name}'.")
        found = accounts.everyone(connection, client.id)
    for one in found:
        typer.echo(f"{one.email}\t{one.role}{' (disabled)' if one.disabled_at else ''}")


@accounts_app.command("password")
def set_password(
    email: Email,
    password: Annotated[
        str, typer.Option(envvar="PARAPHE_PASSWORD", prompt=True, hide_input=True, confirmation_prompt=True)
    ] = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """Give a person who forgot it a new password; their sessions end."""
    from services.gateway.web import passwords
    from shared.db import accounts, audit

    if passwords.fault(password, email):
        _fail("The password will not do.")
    hashed = passwords.hash_password(password)
    with _database(data) as connection:
        found = accounts.with_hash(connection, email)
        if found is None:
            _fail(f"There is no account {email}.")
        account = found[0]
        accounts.set_password(connection, account.id, hashed)
        audit.write(connection, audit.Actor(account.client_id), audit.Action.ACCOUNT_PASSWORD, account.email)
    typer.echo(f"{email}: password set")


def _check_client_name(name: str) -> None:
    """As the API does where a key is made for a client."""
    from pydantic import TypeAdapter, ValidationError

    from services.gateway.request_schemas import ClientName

    try:
        TypeAdapter(ClientName).validate_python(name)
    except ValidationError:
        _fail("A client's name has 1 to 100 characters, none of them control characters.")


def _role(text: str) -> "Role":
    from shared.db.accounts import Role

    try:
        return Role(text)
    except ValueError:
        _fail(f"There is no role '{text}'; there are {', '.join(Role)}.")


@contextmanager
def _database(data: Path) -> Iterator["Connection"]:
    """One transaction in a migrated database."""
    from pydantic import SecretStr
    from sqlalchemy.exc import DBAPIError

    from paraphe.local.running_database import running_database_url
    from shared.db.engine import make_engine
    from shared.db.migrate import migrate
    from shared.domain.errors import ConflictError
    from shared.settings import PostgresSettings

    url = os.environ.get("PARAPHE_POSTGRES_URL") or running_database_url(data)
    if url is None:
        _fail(f"There is no database in {data}. Start `paraphe up` first, or set PARAPHE_POSTGRES_URL.")
    engine = make_engine(PostgresSettings(url=SecretStr(url)))
    try:
        migrate(engine)
        with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        _fail(f"The database does not answer: {str(error.orig).strip()}")
    except ConflictError as error:
        _fail(str(error))
    finally:
        engine.dispose()


def _fail(message: str) -> NoReturn:
    typer.secho(message, fg=typer.colors.RED, err=True)
    raise typer.Exit(1)
