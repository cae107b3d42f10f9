"""Bring a database to the newest schema: ``python -m shared.db.migrate``."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from shared.db.engine import lift_limits, make_engine
from shared.db.locks import AdvisoryLock
from shared.settings import PostgresSettings


def migrate(engine: Engine) -> None:
    """Apply every migration not yet applied; harmless when there is none, safe when several do it at once."""
    with engine.begin() as connection:
        lift_limits(connection)
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": AdvisoryLock.MIGRATION})
        # Whoever waits for a table holds up all that come after: better to fail, change nothing and be run again.
        connection.execute(text("set local lock_timeout = '30s'"))
        command.upgrade(alembic_config(connection), "head")


def alembic_config(connection: Connection) -> Config:
    """What Alembic's commands need to work on our migrations through that connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


if __name__ == "__main__":
    migrate(make_engine(PostgresSettings()))
