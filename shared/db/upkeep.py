"""What its keepers should know of the database itself."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from shared.db.tables import backups


@dataclass(frozen=True, slots=True)
class Upkeep:
    """``backed_up_at``: the moment that the newest backup holds, None when none was ever made."""

    backed_up_at: datetime | None
    database_bytes: int


def look(connection: Connection) -> Upkeep:
    """Measure now."""
    return Upkeep(
        backed_up_at=connection.execute(select(func.max(backups.c.made_at))).scalar_one(),
        database_bytes=connection.execute(select(func.pg_database_size(func.current_database()))).scalar_one(),
    )
