"""Mail, taken by a real SMTP server."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from services.notifier.digest import Digest
from services.notifier.settings import MailSettings
from services.reconciler.leadership import Leadership
from shared import dispatch
from shared.db import deliveries, events, subscriptions
from shared.db.outbox import Message, Topic
from shared.domain.delivery import Delivery, DeliveryState, Notice, NoticeKind
from shared.domain.events import EventKind
from shared.domain.subscription import Language
from shared.queue import Publisher
from tests.integration.db.stories import Stories, wait_for
from tests.integration.notifier.conftest import LOCAL, RunningNotifier
from tests.integration.notifier.mailbox import CERTIFICATE, PASSWORD, USER, Mailbox

Start = Callable[..., RunningNotifier]
ADDRESS = "office@example.org"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    yield box
    box.stop()


def reaching(box: Mailbox, **settings: Any) -> MailSettings:
    given = {"host": "localhost", "port": box.port, "security": "none", "sender": "paraphe@example.net", **settings}
    return MailSettings(**given)


def subscribe(stories: Stories, language: Language = Language.ENGLISH) -> None:
    kinds = [EventKind.JOB_SUCCEEDED, EventKind.JOB_FAILED]
    url = f"mailto:{ADDRESS}"
    stories.do(lambda c: subscriptions.add(c, stories.client.id, url=url, kinds=kinds, language=language))


def newest(stories: Stories, client_id: UUID | None) -> Delivery:
    found: list[Delivery] = stories.do(lambda c: deliveries.newest(c, client_id))
    return found[0]


def test_a_subscriber_is_told_in_its_language(stories: Stories, mailbox: Mailbox, start: Start) -> None:
    subscribe(stories, Language.FRENCH)
    start(mail=reaching(mailbox.start()))
    job, event_id = stories.succeeded(metadata={"patient": "confidential"})
    stories.record(event_id)
    mail = wait_for(lambda: mailbox.received)[0]
    assert (mail["To"], mail["From"]) == (ADDRESS, "Paraphe <paraphe@example.net>")
    assert (mail["Subject"], mail["Content-Language"]) == ("Document examiné : signé", "fr")
    body = mail.get_content()
    assert "Signatures trouvées : 1" in body
    assert str(job.id) in body
    assert "confidential" not in mail.as_string()
    assert mail["Auto-Submitted"] == "auto-generated"
    delivery = wait_for(lambda: (one := newest(stories, stories.client.id)).state is not DeliveryState.PENDING and one)
    assert (delivery.state, delivery.attempts[0].status) == (DeliveryState.DELIVERED, 250)
    assert mail["Message-ID"] == f"<{delivery.id}@example.net>"


def test_what_is_refused_for_now_is_tried_again(stories: Stories, mailbox: Mailbox, start: Start) -> None:
    subscribe(stories)
    mailbox.refusals = ["451 Greylisted, come again", "452 Full"]
    notifier = start(mail=reaching(mailbox.start()))
    stories.record(stories.succeeded()[1])
    wait_for(lambda: mailbox.received)
    done = wait_for(lambda: (one := newest(stories, stories.client.id)).state is not DeliveryState.PENDING and one)
    assert [(one.status, one.error) for one in done.attempts] == [
        (451, "Greylisted, come again"),
        (452, "Full"),
        (250, None),
    ]
    assert notifier.value("paraphe_mail_attempts_total", succeeded="false") == 2


def test_an_address_that_does_not_exist_is_given_up_at_once(stories: Stories, mailbox: Mailbox, start: Start) -> None:
    subscribe(stories)
    mailbox.refusals = ["550 No such user"]
    start(mail=reaching(mailbox.start()))
    stories.record(stories.succeeded()[1])
    done = wait_for(lambda: (one := newest(stories, stories.client.id)).state is not DeliveryState.PENDING and one)
    assert (done.state, [one.error for one in done.attempts]) == (DeliveryState.FAILED, ["No such user"])


def test_no_mail_server_is_an_error_that_is_kept(stories: Stories, start: Start) -> None:
    subscribe(stories)
    start()
    stories.record(stories.succeeded()[1])
    done = wait_for(lambda: (one := newest(stories, stories.client.id)).state is DeliveryState.FAILED and one)
    assert "PARAPHE_MAIL_HOST" in (done.attempts[0].error or "")


def test_log_in_over_starttls(
    stories: Stories, mailbox: Mailbox, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    subscribe(stories)
    mailbox.start(with_tls=True, with_login=True)
    start(mail=reaching(mailbox, security="starttls", username=USER, password=PASSWORD))
    stories.record(stories.succeeded()[1])
    wait_for(lambda: mailbox.received)
    assert mailbox.was_encrypted == [True]


def test_a_certificate_nobody_vouches_for_is_an_error_that_is_kept(
    stories: Stories, mailbox: Mailbox, start: Start
) -> None:
    subscribe(stories)
    start(mail=reaching(mailbox.start(with_tls=True), security="starttls"))
    stories.record(stories.succeeded()[1])
    done = wait_for(lambda: (one := newest(stories, stories.client.id)).state is DeliveryState.FAILED and one)
    assert len(done.attempts) == LOCAL.max_attempts
    assert "certificate verify failed" in (done.attempts[0].error or "")


def test_a_log_in_that_is_refused_is_our_mistake_and_tried_again(
    stories: Stories, mailbox: Mailbox, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    subscribe(stories)
    mailbox.start(with_tls=True, with_login=True)
    start(mail=reaching(mailbox, security="starttls", username=USER, password="wrong"))
    stories.record(stories.succeeded()[1])
    done = wait_for(lambda: (one := newest(stories, stories.client.id)).state is DeliveryState.FAILED and one)
    assert [one.status for one in done.attempts] == [535] * LOCAL.max_attempts
    assert mailbox.received == []


def test_administrators_hear_once_of_jobs_given_up(
    stories: Stories, publisher: Publisher, mailbox: Mailbox, start: Start
) -> None:
    mailbox.start()
    administrators = ("a@example.org", "b@example.org")
    for code in ("store_unavailable", "store_unavailable", "corrupt_document", "internal_error"):
        stories.fail(stories.claim(stories.accept()), code, "Something {broke}.")
    start(mail=reaching(mailbox, admin_addresses=administrators))
    dispatch.send(publisher, [Message(Topic.EVENT, one) for one in stories.outbox(Topic.EVENT)])
    wait_for(lambda: len(mailbox.received) >= 4)
    told = sorted((mail["To"], mail["Subject"]) for mail in mailbox.received)
    subjects = [f"[Paraphe] A job was given up: {code}" for code in ("internal_error", "store_unavailable")]
    assert told == [(to, subject) for to in administrators for subject in subjects]
    assert "Something {broke}." in mailbox.received[0].get_content()


@pytest.mark.parametrize("language", list(Language))
def test_notices_say_whose_job_or_delivery_it_was_and_with_which_key_to_try_again(
    stories: Stories, publisher: Publisher, mailbox: Mailbox, start: Start, language: Language
) -> None:
    stories = Stories(stories.engine, client_name="ground floor")
    start(mail=reaching(mailbox.start(), admin_addresses=(ADDRESS,), admin_language=language))
    stories.to_deliver("http://127.0.0.1:1/")
    wait_for(lambda: len(mailbox.received) == 1)
    failure = stories.fail(stories.claim(stories.accept()), "internal_error")[0]
    dispatch.send(publisher, [failure])
    wait_for(lambda: len(mailbox.received) == 2)
    for mail, command in zip(mailbox.received, ("deliveries replay", "jobs replay"), strict=True):
        said = "\n".join(mail.get_content().splitlines())
        assert re.search(r"^Client ?: ground floor$", said, re.MULTILINE)
        assert "paraphe keys create operators --client 'ground floor'\n" in said
        assert re.search(rf"paraphe {command} [0-9a-f-]+ --key ", said)
    details = stories.do(lambda c: c.execute(text("select detail from incidents")).scalars().all())
    assert len(details) == 2
    assert all(detail.startswith("client ground floor, ") for detail in details)


def test_a_notice_of_before_an_upgrade_is_still_sent(stories: Stories, mailbox: Mailbox, start: Start) -> None:
    """It names no client."""
    notice = Notice(NoticeKind.JOB_GIVEN_UP, {"code": "x", "detail": "y", "job_id": "z", "at": "2026-05-04T12:00:00Z"})
    stories.do(lambda c: deliveries.notify(c, notice, [ADDRESS], Language.ENGLISH))
    start(mail=reaching(mailbox.start()))
    wait_for(lambda: mailbox.received)
    assert "--client NAME" in mailbox.received[0].get_content()


def test_administrators_hear_of_dead_deliveries_and_not_of_their_own(
    stories: Stories, mailbox: Mailbox, start: Start
) -> None:
    mailbox.start()
    start(mail=reaching(mailbox, admin_addresses=(ADDRESS,), admin_language="fr"))
    mailbox.refusals = ["550 No such user"] * 3
    stories.to_deliver("http://127.0.0.1:1/")
    wait_for(lambda: newest_state(stories) is DeliveryState.FAILED)
    notices = wait_for(lambda: stories.do(lambda c: deliveries.newest(c, None, [DeliveryState.FAILED])))
    assert [one.kind for one in notices] == ["delivery_dead"]
    kinds = "select kind, code from incidents order by id"
    rows = wait_for(lambda: len(found := stories.do(lambda c: c.execute(text(kinds)).all())) == 2 and found)
    assert [tuple(row) for row in rows] == [("delivery_dead", "webhook"), ("delivery_dead", "email")]


def newest_state(stories: Stories) -> DeliveryState:
    return newest(stories, stories.client.id).state


def test_a_digest_is_written_once_whoever_writes_it(stories: Stories, mailbox: Mailbox, start: Start) -> None:
    stories.succeeded()
    stories.correct(stories.succeeded()[0])
    stories.fail(stories.claim(stories.accept()))
    stories.accept()
    everything = text(
        "update jobs set created_at = created_at - interval '24 h', finished_at = finished_at - interval '24 h'"
    )
    stories.do(lambda c: c.execute(everything))
    settings = reaching(mailbox.start(), digest_addresses=(ADDRESS,), digest_hours=24)
    start(mail=settings)
    start(mail=settings)
    mail = wait_for(lambda: mailbox.received)[0]
    assert mail["Subject"] == "[Paraphe] 4 documents, 1 failed"
    lines = [line.split() for line in mail.get_content().splitlines()]
    for expected in (["Accepted:", "4"], ["signed:", "1"], ["Failed:", "1"], ["Waiting", "now:", "1"]):
        assert expected in lines
    assert ["not", "signed:", "1"] in lines, "verdicts are a person's where one corrected the job"
    assert len(stories.do(lambda c: deliveries.newest(c, None))) == 1


def test_events_of_all_kinds_can_be_told(stories: Stories, mailbox: Mailbox, start: Start) -> None:
    """Also those without words of their own."""
    url = f"mailto:{ADDRESS}"
    stories.do(lambda c: subscriptions.add(c, stories.client.id, url=url, kinds=list(EventKind)))
    job, _ = stories.succeeded()
    for event in stories.do(lambda c: events.of_job(c, job.id)):
        stories.record(event.id)
    start(mail=reaching(mailbox.start()))
    wait_for(lambda: len(mailbox.received) == 3)
    assert {mail["Subject"] for mail in mailbox.received} == {
        "Paraphe: job.queued",
        "Paraphe: job.started",
        "Document examined: signed",
    }


def test_a_digest_is_written_while_a_reconciler_leads(stories: Stories) -> None:
    leadership = Leadership(stories.engine)
    try:
        assert leadership.is_held()
        told: list[None] = []
        Digest(
            stories.engine, MailSettings(host="localhost", digest_addresses=(ADDRESS,)), lambda: told.append(None)
        ).step()
        assert told == [None]
    finally:
        leadership.release()
