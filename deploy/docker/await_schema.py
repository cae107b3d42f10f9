"""Waits until the database has the schema this code was written for; ends with status 1 after ten minutes.

A schema that is newer, which this code does not know, is fine: that is a rollback of the code, and migrations only add.
"""

import logging
import sys
import time
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

import shared.db
from shared.db.engine import make_engine
from shared.settings import PostgresSettings

_PATIENCE_S = 600.0
_LOOK_EVERY_S = 2.0


def has_schema(engine: Engine, scripts: ScriptDirectory) -> bool:
    """Whether every migration we know has been applied."""
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current is None:
        return False
    try:
        scripts.get_revision(current)
    except CommandError:
        return True  # newer than we are
    return current == scripts.get_current_head()


def main() -> int:
    """Returns the exit status."""
    logging.basicConfig(level=logging.WARNING)
    engine = make_engine(PostgresSettings())
    scripts = ScriptDirectory(Path(shared.db.__file__).parent / "migrations")
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        try:
            if has_schema(engine, scripts):
                return 0
            print("the schema is not there yet", file=sys.stderr)
        except DBAPIError as error:
            print(f"the database does not answer: {error.orig}", file=sys.stderr)
        time.sleep(_LOOK_EVERY_S)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
