"""What is on record of deliveries, incidents and alerts, removed once it is old; what is not over yet never is.

Ids sort by the time they were made, so that old rows are found without an index of their own.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Table, delete, func, null, select

from shared.db.tables import alerts, deliveries, incidents
from shared.domain.delivery import DeliveryState
from shared.domain.ids import first_id_at

Removed = Mapping[UUID | None, int]
"""How many of each client; of None: of those who run this installation. At most ``limit`` in all."""


def remove_deliveries(connection: Connection, before: datetime, limit: int) -> Removed:
    """Deliveries that were over before then, with their attempts."""
    is_over = deliveries.c.state != DeliveryState.PENDING
    ended = func.coalesce(deliveries.c.finished_at, deliveries.c.created_at)
    return Counter(_remove(connection, deliveries, deliveries.c.client_id, before, limit, is_over, ended < before))


def remove_incidents(connection: Connection, before: datetime, limit: int) -> Removed:
    """Incidents that were closed before then."""
    return Counter(_remove(connection, incidents, null(), before, limit, incidents.c.closed_at < before))


def remove_alerts(connection: Connection, before: datetime, limit: int) -> Removed:
    """Alerts of which nothing was heard since then: of one that fires Alertmanager reminds us every few hours."""
    return Counter(_remove(connection, alerts, null(), before, limit, alerts.c.received_at < before))


def _remove(
    connection: Connection,
    table: Table,
    owner: ColumnElement[Any],
    before: datetime,
    limit: int,
    *which: ColumnElement[bool],
) -> list[UUID | None]:
    """Whose each removed row was."""
    due = select(table.c.id).where(table.c.id < first_id_at(before), *which).order_by(table.c.id).limit(limit)
    # Whatever somebody works on at this moment waits for the next time.
    chosen = due.with_for_update(skip_locked=True)
    return list(connection.execute(delete(table).where(table.c.id.in_(chosen)).returning(owner)).scalars())
