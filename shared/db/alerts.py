"""Alerts as rows: the newest word Alertmanager has sent on each."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from shared.db.tables import alerts
from shared.domain.alert import Alert, AlertState
from shared.domain.ids import new_id


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
    """Alerts with their ids, newest first, older than the alert ``before``."""
    chosen = select(alerts)
    if state is not None:
        chosen = chosen.where(alerts.c.state == state)
    if before is not None:
        chosen = chosen.where(alerts.c.id < before)
    return [(row.id, _to_alert(row)) for row in connection.execute(chosen.order_by(alerts.c.id.desc()).limit(limit))]


def firing(connection: Connection) -> int:
    """How many fire now."""
    counted = select(func.count()).select_from(alerts).where(alerts.c.state == AlertState.FIRING)
    return connection.execute(counted).scalar_one()


def _to_alert(row: Row[Any]) -> Alert:
    return Alert(
        fingerprint=row.fingerprint,
        name=row.name,
        severity=row.severity,
        state=AlertState(row.state),
        labels=row.labels,
        annotations=row.annotations,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
    )
