"""Mails a summary to operators who asked for it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, select, text

from services.notifier.settings import MailSettings
from shared.db import deliveries, summary
from shared.db.engine import transact
from shared.db.locks import AdvisoryLock
from shared.db.tables import deliveries as delivery_rows
from shared.domain.delivery import Notice, NoticeKind


class Digest:
    """One summary an address and period, whichever notifier comes first. ``on_deliveries``: there is one to send."""

    def __init__(self, engine: Engine, mail: MailSettings, on_deliveries: Callable[[], None]) -> None:
        self._engine = engine
        self._mail = mail
        self._on_deliveries = on_deliveries

    def step(self) -> None:
        """Write the summary of the last whole period unless it has been written."""
        if not self._mail.digest_addresses:
            return
        if transact(self._engine, self._write):
            self._on_deliveries()

    def _write(self, connection: Connection) -> bool:
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": AdvisoryLock.DIGEST})
        since, until = period_before(datetime.now(UTC), self._mail.digest_hours, self._mail.digest_at_hour)
        missing = [one for one in self._mail.digest_addresses if not _is_written(connection, one, until)]
        if not missing:
            return False
        data = {"since": since.isoformat(), "until": until.isoformat(), **summary.between(connection, since, until)}
        deliveries.notify(connection, Notice(NoticeKind.DIGEST, data), missing, self._mail.admin_language)
        return True


def period_before(now: datetime, hours: int, at_hour: int) -> tuple[datetime, datetime]:
    """The last whole period: periods follow one another without gap, one ends at ``at_hour`` UTC of the first day."""
    origin = datetime(1970, 1, 1, at_hour, tzinfo=UTC)
    length = timedelta(hours=hours)
    until = origin + (now - origin) // length * length
    return until - length, until


def _is_written(connection: Connection, address: str, until: datetime) -> bool:
    written = (
        select(delivery_rows.c.id)
        .where(
            delivery_rows.c.client_id.is_(None),
            delivery_rows.c.url == f"mailto:{address}",
            delivery_rows.c.notice["kind"].astext == NoticeKind.DIGEST,
            delivery_rows.c.notice["until"].astext == until.isoformat(),
        )
        .limit(1)
    )
    return connection.execute(written).one_or_none() is not None
