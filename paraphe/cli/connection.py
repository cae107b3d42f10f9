"""Which server, with which key: from the options, the environment, or the data folder of a ``paraphe up`` here."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from paraphe.api_errors import ServerUnreachableError
    from paraphe.client import Client

DEFAULT_DATA = Path(".paraphe")
_RETRIES = 8
_RETRIES_OF_A_GUESS = 3

Url = Annotated[str | None, typer.Option("--url", envvar="PARAPHE_URL", help="Server's address.", show_default=False)]
ApiKey = Annotated[str | None, typer.Option("--key", envvar="PARAPHE_API_KEY", help="API key.", show_default=False)]
Data = Annotated[
    Path,
    typer.Option(
        "--data",
        file_okay=False,
        help="Data folder of a `paraphe up` on this machine: address and key are found there.",
    ),
]


@contextmanager
def connected(url: str | None, key: str | None, data: Path) -> Iterator["Client"]:
    """A client; what it raises ends the command with a message and exit status 1."""
    from paraphe.api_errors import ParapheApiError, ParapheClientError, ServerUnreachableError
    from paraphe.client import Client

    address, secret = _address_and_key(url, key, data)
    untold = Lock()

    def say_once(error: "ServerUnreachableError") -> None:
        if untold.acquire(blocking=False):
            typer.echo(f"{error}; trying again", err=True)

    try:
        # Patient: a bulk submission meets rate limits, full backlogs, and a server that is just being upgraded. Not
        # where the address was guessed and nothing ever answered: most likely nobody has started a server.
        first_retries = _RETRIES if url else _RETRIES_OF_A_GUESS
        with Client(address, secret, retries=_RETRIES, first_retries=first_retries, on_unreachable=say_once) as client:
            yield client
    except ServerUnreachableError as error:
        _fail(f"{error}\nStart it with `paraphe up`, or give its address with --url or PARAPHE_URL.")
    except ParapheApiError as error:
        hint = "\nGive a key with --key or PARAPHE_API_KEY." if error.status == 401 else ""
        _fail(f"{error}{hint}")
    except ParapheClientError as error:
        _fail(str(error))


def _address_and_key(url: str | None, key: str | None, data: Path) -> tuple[str | None, str | None]:
    """The key in the data folder is for the server that runs on it, and is sent to no other."""
    from paraphe.local.data_folder import DataFolder

    folder = DataFolder(data)
    local_url = folder.owner().get("url")
    is_local = url is None or url.strip().rstrip("/") == local_url
    if key is None and is_local and folder.admin_key_file.exists():
        key = folder.admin_key_file.read_text().strip()
    return url or local_url, key


def _fail(message: str) -> None:
    typer.secho(message, fg=typer.colors.RED, err=True)
    raise typer.Exit(1)
