"""Administrators hear of one reason once, then not for a while, then again if it lasts."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from services.notifier.channels.answer import Answer
from services.notifier.incidents import IncidentDesk
from services.notifier.settings import MailSettings
from shared.db import deliveries, events
from shared.db.engine import lift_limits
from shared.domain.delivery import Delivery
from tests.integration.db.stories import Stories, wait_for

QUIET_MINUTES = 15
ADMINISTRATOR = "admin@example.org"


@pytest.fixture
def desk() -> IncidentDesk:
    settings = MailSettings(host="localhost", admin_addresses=(ADMINISTRATOR,), quiet_s=QUIET_MINUTES * 60)
    return IncidentDesk(settings, lambda: None)


def failed(stories: Stories, code: str = "store_unavailable") -> UUID:
    """The event of a job that was given up."""
    return stories.fail(stories.claim(stories.accept()), code, "It is away.")[0].subject


def report(connection: Connection, desk: IncidentDesk, event_ids: Iterable[UUID]) -> None:
    """As the recorder does, in its transaction."""
    assert desk.jobs_failed(connection, events.record(connection, list(event_ids)))


def report_patiently(connection: Connection, desk: IncidentDesk, event_ids: Iterable[UUID]) -> None:
    """The same, with time for others on a slow machine."""
    lift_limits(connection)
    report(connection, desk, event_ids)


def somebody_waits(connection: Connection) -> bool:
    """Whether a transaction waits for another's advisory lock."""
    return bool(connection.execute(text("select from pg_locks where locktype = 'advisory' and not granted")).all())


def give_up_delivery(stories: Stories, desk: IncidentDesk) -> None:
    stories.to_deliver("https://receiver.example/")
    (due,) = stories.take_due()
    stories.do(lambda c: desk.delivery_died(c, due, Answer(datetime.now(UTC), 1.0, status=500)))


def minutes_pass(stories: Stories, minutes: int) -> None:
    def age(connection: Connection) -> None:
        by = {"by": f"{minutes} minutes"}
        connection.execute(text("update deliveries set created_at = created_at - cast(:by as interval)"), by)
        connection.execute(text("update incidents set raised_at = raised_at - cast(:by as interval)"), by)

    stories.do(age)


def mails(stories: Stories) -> list[Delivery]:
    found: list[Delivery] = stories.do(lambda c: deliveries.newest(c, None))
    return found


def test_what_fails_again_and_again_is_told_once_every_quiet_time(stories: Stories, desk: IncidentDesk) -> None:
    told_after = []
    for minute in range(0, 60, 4):
        before = len(mails(stories))
        stories.do(lambda c: report(c, desk, [failed(stories)]))
        if len(mails(stories)) > before:
            told_after.append(minute)
        minutes_pass(stories, 4)
    assert told_after == [0, 16, 32, 48]


def test_so_are_deliveries_that_are_given_up(stories: Stories, desk: IncidentDesk) -> None:
    told_after = []
    for minute in range(0, 60, 10):
        before = len(mails(stories))
        give_up_delivery(stories, desk)
        if len(mails(stories)) > before:
            told_after.append(minute)
        minutes_pass(stories, 10)
    assert told_after == [0, 20, 40]


def test_another_reason_is_told_at_once(stories: Stories, desk: IncidentDesk) -> None:
    for event_id in (failed(stories), failed(stories, "internal_error"), failed(stories)):
        with stories.engine.begin() as connection:
            report(connection, desk, [event_id])
    give_up_delivery(stories, desk)
    assert [one.kind for one in mails(stories)] == ["delivery_dead", "job_given_up", "job_given_up"]


def test_what_was_noted_while_nobody_was_to_be_told_is_no_reason_for_silence(
    stories: Stories, desk: IncidentDesk
) -> None:
    without_administrators = IncidentDesk(MailSettings(), lambda: None)
    stories.do(lambda c: report(c, without_administrators, [failed(stories)]))
    stories.do(lambda c: report(c, desk, [failed(stories)]))
    assert len(mails(stories)) == 1


def test_two_notifiers_at_once_write_one_mail(stories: Stories, desk: IncidentDesk) -> None:
    one, other, of_another_reason = failed(stories), failed(stories), failed(stories, "internal_error")
    with ThreadPoolExecutor() as notifiers:
        with stories.engine.begin() as connection:
            report_patiently(connection, desk, [one])
            second = notifiers.submit(stories.do, lambda c: report_patiently(c, desk, [other]))
            third = notifiers.submit(stories.do, lambda c: report_patiently(c, desk, [of_another_reason]))
            third.result(30)  # is not held up
            # The second one does, to see whether the first one's mail comes about.
            wait_for(lambda: stories.do(somebody_waits))
        second.result(30)
    assert len(mails(stories)) == 2


def test_two_notifiers_with_the_same_reasons_in_another_order_do_not_hold_up_each_other(
    stories: Stories, desk: IncidentDesk
) -> None:
    codes = ("store_unavailable", "internal_error", "worker_lost", "unknown_model")

    def report_batch(order: Iterable[str]) -> None:
        batch = [failed(stories, code) for code in order]
        stories.do(lambda c: report_patiently(c, desk, batch))

    with ThreadPoolExecutor(4) as notifiers:
        orders = [codes, codes[::-1]] * 10
        assert list(notifiers.map(report_batch, orders)) == [None] * len(orders)
    assert len(mails(stories)) == len(codes)


def test_a_mail_that_did_not_come_about_is_written_by_the_next(stories: Stories, desk: IncidentDesk) -> None:
    with stories.engine.connect() as connection:
        report(connection, desk, [failed(stories)])
        connection.rollback()
    stories.do(lambda c: report(c, desk, [failed(stories)]))
    assert len(mails(stories)) == 1
