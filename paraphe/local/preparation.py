"""What must be true before the services start: settings that are whole, a schema, an administrator's key."""

from typing import TYPE_CHECKING

from pydantic import ValidationError
from pydantic_settings import BaseSettings
from sqlalchemy.exc import DBAPIError

from paraphe.local.data_folder import DataFolder
from paraphe.local.errors import StartupError
from paraphe.local.first_key import ensure_admin_key
from paraphe.settings_reference import groups, variable
from shared.db.engine import make_engine
from shared.db.migrate import migrate
from shared.settings import PostgresSettings

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def prepare_database(folder: DataFolder) -> tuple[str, bool]:
    """Check the settings, bring the schema up to date; returns the administrator's key and whether it is new.

    Raises:
        StartupError: a setting is missing or wrong, or the operator's own database does not answer.
    """
    _check_settings()
    engine = make_engine(PostgresSettings())
    try:
        migrate(engine)
        return ensure_admin_key(engine, folder)
    except DBAPIError as error:
        where = engine.url.render_as_string(hide_password=True)
        raise StartupError(f"the database {where} does not serve: {error.orig}") from error
    finally:
        engine.dispose()


def _check_settings() -> None:
    """All groups are read here, so that a fault is said once and plainly, not by each service in its log.

    Raises:
        StartupError: a setting is missing or wrong; the message names its variable, not what was set.
    """
    faults = []
    for group in groups():
        try:
            group()
        except ValidationError as error:
            faults += [_sentence(group, fault) for fault in error.errors(include_input=False)]
    if faults:
        raise StartupError("settings in the environment are not whole:\n  " + "\n  ".join(faults))


def _sentence(group: type[BaseSettings], fault: "ErrorDetails") -> str:
    """A fault of several fields together names them itself."""
    said = fault["msg"].removeprefix("Value error, ")
    return f"{variable(group, str(fault['loc'][0]))}: {said}" if fault["loc"] else said
