"""Give every test that stores things a system that holds none."""

import redis
from sqlalchemy import text

from shared.db.engine import make_engine
from shared.db.migrate import migrate
from shared.db.tables import metadata
from shared.objects import ObjectStore
from shared.settings import ObjectsSettings, PostgresSettings
from tests.servers import Servers

_migrated: set[str] = set()


def clean(servers: Servers) -> None:
    """Empty the database and the broker the settings lead to. Objects stay: their names are hashes."""
    _empty_database(servers.environment["PARAPHE_POSTGRES_URL"])
    redis.Redis.from_url(servers.environment["PARAPHE_REDIS_URL"]).flushall()
    ObjectStore(ObjectsSettings()).ensure_bucket()


def _empty_database(url: str) -> None:
    engine = make_engine(PostgresSettings())
    try:
        if url not in _migrated:
            migrate(engine)
            _migrated.add(url)
        with engine.begin() as connection:
            # A test that left a transaction open is named here, instead of hanging the run.
            connection.execute(text("SET LOCAL lock_timeout = '10s'"))
            connection.execute(text(f"TRUNCATE {', '.join(table.name for table in metadata.sorted_tables)} CASCADE"))
    finally:
        engine.dispose()
