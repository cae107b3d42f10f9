"""Connections to Postgres."""

import time
from collections.abc import Callable
from typing import TypeVar

import psycopg2.extensions
from psycopg2.errors import LockNotAvailable, QueryCanceled
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.domain.errors import ErrorCode, TemporaryError
from shared.settings import PostgresSettings

T = TypeVar("T")

# A process that is frozen or vanishes in the middle of a transaction keeps its locks for as long as its session lives:
# the server ends such a session. Who waits for a lock meanwhile gives up early, lest every thread of a worker wait.
_LIMITS_MS = {"statement_timeout": 30_000, "lock_timeout": 5_000, "idle_in_transaction_session_timeout": 15_000}

# A server whose machine vanishes says nothing, and the kernel would send to it for a quarter of an hour. Then every
# pooled connection would hang: the server's own limits end with it, and the question before use is never answered.
_NOTICE_LOSS = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # milliseconds
}


def make_engine(settings: PostgresSettings) -> Engine:
    """A pool that notices connections cut by a restarted Postgres before handing them out.

    A Postgres that has vanished is noticed within seconds, also by whoever waits for its answer.
    """
    engine = create_engine(
        make_url(settings.url.get_secret_value()).set(drivername="postgresql+psycopg2"),
        pool_size=settings.pool_size,
        max_overflow=settings.pool_size,
        pool_timeout=10,
        pool_pre_ping=True,
        connect_args={"connect_timeout": settings.connect_timeout_s, **_NOTICE_LOSS},
    )
    event.listen(engine, "connect", _set_limits)
    return engine


def _set_limits(session: psycopg2.extensions.connection, _: object) -> None:
    """Not as options of the connection: PgBouncer refuses those, or passes them over in silence."""
    with session.cursor() as cursor:
        cursor.execute("; ".join(f"set {name} = {limit}" for name, limit in _LIMITS_MS.items()))
    session.commit()  # what is set in a transaction goes with its rollback


def lift_limits(connection: Connection) -> None:
    """Let this transaction take as long as it needs, and wait for what others hold."""
    for name in _LIMITS_MS:
        connection.execute(text(f"set local {name} = 0"))


def is_connection_fault(error: DBAPIError) -> bool:
    """Whether the database went away or did not get to it in time (as against: refused what we asked)."""
    return isinstance(error, OperationalError) or error.connection_invalidated


def _fault(error: DBAPIError) -> str:
    if isinstance(error.orig, LockNotAvailable):
        return "Another process is changing the same record and does not finish; try again."
    if isinstance(error.orig, QueryCanceled):
        return "The database took too long to answer; try again."
    return "The database cannot be reached."


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
                raise TemporaryError(ErrorCode.DATABASE_UNAVAILABLE, _fault(error)) from error
        time.sleep(pause)
        pause = min(pause * 2, 2.0)
