"""Records of deliveries, incidents and alerts go once they are over and old, and nothing goes sooner."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry
from pydantic import ValidationError
from sqlalchemy import Engine, Table, select, text, update

from services.reconciler import record_retention
from services.reconciler.metrics import ReconcilerMetrics
from services.reconciler.record_retention import RecordRetention
from shared.db import alerts, deliveries, delivering, incidents
from shared.db.incidents import Incident, IncidentKind
from shared.db.tables import alerts as alert_rows
from shared.db.tables import deliveries as delivery_rows
from shared.db.tables import incidents as incident_rows
from shared.domain.alert import Alert, AlertState
from shared.domain.delivery import DeliveryState, Notice, NoticeKind
from shared.domain.ids import first_id_at, new_id
from shared.domain.subscription import Language
from shared.settings import RetentionSettings
from tests.integration.db.stories import Stories, attempt

OLD, YOUNG = timedelta(days=31), timedelta(days=29)


class Records:
    """What the data layer has written, made older; and a retention to try on it."""

    def __init__(self, engine: Engine, stories: Stories) -> None:
        self.engine, self.stories = engine, stories
        self.registry = CollectorRegistry()

    def delivery(self, age: timedelta, state: DeliveryState = DeliveryState.DELIVERED) -> UUID:
        before = self.ids(delivery_rows)
        self.stories.to_deliver(f"https://example.org/{new_id()}")
        if state is not DeliveryState.PENDING:
            for due in self.stories.take_due():
                self.stories.do(lambda c, due=due: delivering.finish(c, due, attempt(), state))
        (made,) = self.ids(delivery_rows) - before
        finished = None if state is DeliveryState.PENDING else datetime.now(UTC) - age
        return self._make_older(delivery_rows, made, age, finished_at=finished)

    def notice(self, age: timedelta) -> UUID:
        before = self.ids(delivery_rows)
        notice = Notice(NoticeKind.DIGEST, {})
        self.stories.do(lambda c: deliveries.notify(c, notice, ["ops@example.org"], Language.ENGLISH))
        (made,) = self.ids(delivery_rows) - before
        moment = datetime.now(UTC) - age
        return self._make_older(delivery_rows, made, age, state=DeliveryState.DELIVERED, finished_at=moment)

    def incident(self, age: timedelta, *, closed: bool = True) -> UUID:
        before = self.ids(incident_rows)
        found = Incident(IncidentKind.JOB_GIVEN_UP, "internal", new_id(), "It is broken.")
        self.stories.do(lambda c: incidents.note(c, [found]))
        (made,) = self.ids(incident_rows) - before
        return self._make_older(incident_rows, made, age, closed_at=datetime.now(UTC) - age if closed else None)

    def alert(self, age: timedelta, *, heard_of: timedelta | None = None) -> UUID:
        before = self.ids(alert_rows)
        told = Alert(str(new_id()), "ParapheX", "warning", AlertState.FIRING, {}, {}, datetime.now(UTC) - age, None)
        self.stories.do(lambda c: alerts.record(c, [told]))
        (made,) = self.ids(alert_rows) - before
        heard = age if heard_of is None else heard_of
        return self._make_older(alert_rows, made, age, received_at=datetime.now(UTC) - heard)

    def _make_older(self, table: Table, made: UUID, age: timedelta, **values: object) -> UUID:
        """With the id it would have had then."""
        older = UUID(int=first_id_at(datetime.now(UTC) - age).int | made.int & (1 << 80) - 1)

        def work(connection: object) -> None:
            attempts = "alter table delivery_attempts disable trigger all"
            connection.execute(text(attempts))  # type: ignore[attr-defined]
            connection.execute(  # type: ignore[attr-defined]
                text("update delivery_attempts set delivery_id = :new where delivery_id = :old"),
                {"new": older, "old": made},
            )
            connection.execute(update(table).where(table.c.id == made).values(id=older, **values))  # type: ignore[attr-defined]
            connection.execute(text("alter table delivery_attempts enable trigger all"))  # type: ignore[attr-defined]

        self.stories.do(work)
        return older

    def ids(self, table: Table) -> set[UUID]:
        return set(self.stories.do(lambda c: c.execute(select(table.c.id)).scalars().all()))

    def keep_for(self, days: int) -> RecordRetention:
        """All that is due is gone, and the next look is an hour away."""
        settings = RetentionSettings(delivery_days=days, alert_days=days)
        retention = RecordRetention(self.engine, ReconcilerMetrics(self.registry), settings)
        while retention.step():
            pass
        return retention

    def audited(self) -> list[tuple[UUID | None, str, str, str]]:
        facts = text(
            "select client_id, action, subject, detail->>'because' from audit_lines order by action, client_id"
        )
        return [tuple(row) for row in self.stories.do(lambda c: c.execute(facts).all())]

    def attempts(self) -> int:
        return int(self.stories.do(lambda c: c.execute(text("select count(*) from delivery_attempts")).scalar_one()))


@pytest.fixture
def records(engine: Engine, stories: Stories) -> Records:
    return Records(engine, stories)


def test_old_deliveries_go_with_their_attempts(records: Records) -> None:
    states = (DeliveryState.DELIVERED, DeliveryState.FAILED)
    for state in states:
        records.delivery(OLD, state)
    kept = {records.delivery(YOUNG), records.delivery(OLD, DeliveryState.PENDING)}
    records.notice(OLD)
    records.keep_for(30)
    assert records.ids(delivery_rows) == kept
    assert records.attempts() == 1, "that of the young one"
    because = "older than 30 days"
    client = records.stories.client.id
    assert records.audited() == [
        (client, "deliveries.erased", "2", because),
        (None, "deliveries.erased", "1", because),
    ]


def test_a_delivery_that_was_sent_again_counts_from_then(records: Records) -> None:
    replayed = records.delivery(OLD)
    now = datetime.now(UTC)
    records.stories.do(
        lambda c: c.execute(update(delivery_rows).where(delivery_rows.c.id == replayed).values(finished_at=now))
    )
    records.keep_for(30)
    assert records.ids(delivery_rows) == {replayed}


def test_old_incidents_go_unless_they_are_open(records: Records) -> None:
    records.incident(OLD)
    kept = {records.incident(YOUNG), records.incident(OLD, closed=False)}
    records.keep_for(30)
    assert records.ids(incident_rows) == kept
    assert records.audited() == [(None, "incidents.erased", "1", "older than 30 days")]


def test_old_alerts_go_unless_they_are_still_heard_of(records: Records) -> None:
    records.alert(OLD)
    kept = {records.alert(YOUNG), records.alert(OLD, heard_of=timedelta(hours=4))}
    records.keep_for(30)
    assert records.ids(alert_rows) == kept
    assert records.audited() == [(None, "alerts.erased", "1", "older than 30 days")]


def test_more_than_a_batch_goes_batch_by_batch_and_is_counted(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_retention, "_BATCH", 2)
    for _ in range(5):
        records.incident(OLD)
    records.keep_for(30)
    assert records.ids(incident_rows) == set()
    assert records.registry.get_sample_value("paraphe_records_expired_total", {"kind": "incident"}) == 5


def test_zero_keeps_everything(records: Records) -> None:
    kept = records.delivery(timedelta(days=9000))
    records.keep_for(0)
    assert records.ids(delivery_rows) == {kept}


def test_a_summary_of_a_week_is_remembered_for_longer() -> None:
    with pytest.raises(ValidationError, match="at least 8"):
        RetentionSettings(delivery_days=7)


def test_between_two_times_nothing_is_asked(records: Records) -> None:
    records.incident(OLD)
    retention = records.keep_for(30)
    left_by_the_first = records.ids(incident_rows)
    again = records.incident(OLD)
    retention.step()
    assert (left_by_the_first, records.ids(incident_rows)) == (set(), {again}), "once an hour is enough"
