"""Connections to Postgres."""

import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.domain.errors import ErrorCode, TemporaryError
from shared.settings import PostgresSettings

T = TypeVar("T")


def make_engine(settings: PostgresSettings) -> Engine:
    """A pool that notices connections cut by a restarted Postgres before handing them out."""
    return create_engine(
        make_url(settings.url.get_secret_value()).set(drivername="postgresql+psycopg2"),
        pool_size=settings.pool_size,
        max_overflow=settings.pool_size,
        pool_timeout=10,
        pool_pre_ping=True,
        connect_args={"connect_timeout": settings.connect_timeout_s, "options": "-c statement_timeout=30000"},
    )


def is_connection_fault(error: DBAPIError) -> bool:
    """Whether the database went away (as against: refused what we asked)."""
    return isinstance(error, OperationalError) or error.connection_invalidated


def transact(engine: Engine, work: Callable[[Connection], T], *, patience_s: float = 0.0) -> T:
    """Run ``work`` in one transaction, again while the database is away and patience lasts.

    ``work`` must be safe to repeat: a commit whose answer was lost may have happened. Raises TemporaryError when
    patience ends; other database errors pass through.
    """
    deadline = time.monotonic() + patience_s
    pause = 0.1
    while True:
        try:
            with engine.begin() as connection:
                return work(connection)
        except PoolTimeoutError as error:
            raise TemporaryError(
                ErrorCode.DATABASE_UNAVAILABLE, "Every connection to the database is in use; try again."
            ) from error
        except DBAPIError as error:
            if not is_connection_fault(error):
                raise
            if time.monotonic() + pause > deadline:
                raise TemporaryError(ErrorCode.DATABASE_UNAVAILABLE, "The database cannot be reached.") from error
        time.sleep(pause)
        pause = min(pause * 2, 2.0)
