"""Give every test that stores things a system that holds none."""

import redis
from sqlalchemy import inspect, text

from shared.db.engine import make_engine
from shared.db.migrate import migrate
from shared.db.tables import metadata
from shared.objects import ObjectStore
from shared.settings import ObjectsSettings, PostgresSettings
from tests.servers import Servers

_FILLED = " UNION ALL ".join(
    f"(SELECT '{table.name}' WHERE EXISTS (SELECT FROM {table.name}))" for table in metadata.sorted_tables
)


def clean(servers: Servers) -> None:
    """Empty the database and the broker the settings lead to. Objects stay: their names are hashes."""
    _empty_database()
    redis.Redis.from_url(servers.environment["PARAPHE_REDIS_URL"]).flushall()
    ObjectStore(ObjectsSettings()).ensure_bucket()


def _empty_database() -> None:
    engine = make_engine(PostgresSettings())
    try:
        if not inspect(engine).has_table("jobs"):  # the first test, or one that destroyed the database and failed
            migrate(engine)
        with engine.begin() as connection:
            # A test that left a transaction open is named here, instead of hanging the run.
            connection.execute(text("SET LOCAL lock_timeout = '10s'"))
            # Only those with rows: emptying all takes twenty times as long, and most tests touch a few.
            if filled := connection.execute(text(_FILLED)).scalars().all():
                connection.execute(text(f"TRUNCATE {', '.join(filled)} CASCADE"))
    finally:
        engine.dispose()
