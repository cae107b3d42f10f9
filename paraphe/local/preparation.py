"""What must be true before the services start: settings that are whole, a schema, an administrator's key."""

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from paraphe.local.data_folder import DataFolder
from paraphe.local.errors import StartupError
from paraphe.local.first_key import ensure_admin_key
from shared.db.engine import make_engine
from shared.db.migrate import migrate
from shared.settings import ObjectsSettings, PostgresSettings, RedisSettings


def prepare_database(folder: DataFolder) -> tuple[str, bool]:
    """Check the settings, bring the schema up to date; returns the administrator's key and whether it is new.

    Raises:
        StartupError: a setting is missing or wrong, or the operator's own database does not answer.
    """
    engine = make_engine(_settings())
    try:
        migrate(engine)
        return ensure_admin_key(engine, folder)
    except DBAPIError as error:
        where = engine.url.render_as_string(hide_password=True)
        raise StartupError(f"the database {where} does not serve: {error.orig}") from error
    finally:
        engine.dispose()


def _settings() -> PostgresSettings:
    """All groups are read here, so that a missing one is said once and plainly, not by each service in its log."""
    faults = []
    for group in (PostgresSettings, RedisSettings, ObjectsSettings):
        try:
            group()
        except ValidationError as error:
            prefix = group.model_config["env_prefix"]
            faults += [f"{prefix}{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors()]
    if faults:
        raise StartupError("settings in the environment are not whole:\n  " + "\n  ".join(faults))
    return PostgresSettings()
