"""Alerts as rows: the newest word Alertmanager has sent on each."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, func, literal, not_, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from shared.db.tables import alerts
from shared.domain.alert import Alert, AlertState
from shared.domain.ids import new_id

# An alert that ends while it is silenced or inhibited ends without a word. What fires we are reminded of: by our own
# Alertmanager every hour, by one that others set up usually twice a day at the least.
_REMINDED_WITHIN = timedelta(hours=13)


def record(connection: Connection, told: Sequence[Alert]) -> None:
    """Write down what was told. A late repeat that it fires does not undo that it has ended."""
    for one in told:
        values = {
            "name": one.name,
            "severity": one.severity,
            "state": one.state,
            "labels": one.labels,
            "annotations": one.annotations,
            "ends_at": one.ends_at,
        }
        connection.execute(
            upsert(alerts)
            .values(id=new_id(), fingerprint=one.fingerprint, starts_at=one.starts_at, **values)
            .on_conflict_do_update(
                index_elements=["fingerprint", "starts_at"],
                set_={**values, "received_at": func.now()},
                where=or_(alerts.c.state == AlertState.FIRING, literal(one.state == AlertState.RESOLVED)),
            )
        )


def newest(
    connection: Connection, state: AlertState | None = None, *, before: UUID | None = None, limit: int = 50
) -> list[tuple[UUID, Alert]]:
    """Alerts with their ids, newest first, older than the alert ``before``.

    One that Alertmanager has stopped to remind us of counts as resolved, without a time at which it ended.
    """
    chosen = select(alerts, _fires().label("fires"))
    if state is not None:
        chosen = chosen.where(_fires() if state is AlertState.FIRING else not_(_fires()))
    if before is not None:
        chosen = chosen.where(alerts.c.id < before)
    return [(row.id, _to_alert(row)) for row in connection.execute(chosen.order_by(alerts.c.id.desc()).limit(limit))]


def firing(connection: Connection) -> int:
    """How many fire now."""
    return connection.execute(select(func.count()).select_from(alerts).where(_fires())).scalar_one()


def _fires() -> ColumnElement[bool]:
    return and_(alerts.c.state == AlertState.FIRING, alerts.c.received_at > func.now() - _REMINDED_WITHIN)


def _to_alert(row: Row[Any]) -> Alert:
    return Alert(
        fingerprint=row.fingerprint,
        name=row.name,
        severity=row.severity,
        state=AlertState.FIRING if row.fires else AlertState.RESOLVED,
        labels=row.labels,
        annotations=row.annotations,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
    )
