"""Alerts: raised at an Alertmanager, ended there, and what it sends back recorded."""

import json
import socket
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.notifier.settings import AlertSettings
from shared import dispatch
from shared.db import alerts, deliveries, jobs
from shared.db.outbox import Message, Topic
from shared.domain.alert import AlertState
from shared.domain.delivery import DeliveryState
from shared.queue import Publisher
from tests import loopback
from tests.integration.db.stories import Stories, wait_for
from tests.integration.notifier.conftest import Receiver, RunningNotifier
from tests.integration.notifier.mailbox import CERTIFICATE
from tests.servers import Servers
from tests.system import free_port

Start = Callable[..., RunningNotifier]
Receive = Callable[..., Receiver]
TOKEN = "an alert token"


def raising_at(receiver: Receiver, **settings: Any) -> AlertSettings:
    return AlertSettings(manager_urls=(receiver.url,), raise_every_s=0.2, **settings)


def told(receiver: Receiver) -> list[dict[str, Any]]:
    return [alert for got in receiver.received for alert in json.loads(got.body)]


def fires(alert: dict[str, Any]) -> bool:
    return bool(alert["endsAt"] > time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 60)))


def give_up(stories: Stories, publisher: Publisher, code: str = "attempts_exhausted") -> Any:
    job = stories.accept()
    message = stories.fail(stories.claim(job), code, "The worker was lost.")[0]
    dispatch.send(publisher, [Message(Topic.EVENT, message.subject)])
    return job


def test_a_job_given_up_is_raised_until_it_is_replayed(
    stories: Stories, publisher: Publisher, receive: Receive, start: Start
) -> None:
    alertmanager = receive((200, {}))
    notifier = start(alerts=raising_at(alertmanager))
    job = give_up(stories, publisher)
    first = wait_for(lambda: told(alertmanager))[0]
    assert alertmanager.received[0].path == "/api/v2/alerts"
    assert first["labels"] == {
        "alertname": "ParapheJobGivenUp",
        "severity": "critical",
        "code": "attempts_exhausted",
        "job": "paraphe-notifier",
    }
    assert str(job.id) in first["annotations"]["description"]
    assert fires(first)
    wait_for(lambda: len(told(alertmanager)) >= 3)
    assert all(fires(one) for one in told(alertmanager)), "it is told again and again while it lasts"
    assert notifier.value("paraphe_incidents_open", kind="job_given_up") == 1
    stories.do(lambda c: jobs.replay(c, stories.client.id, job.id, stories.settings))
    wait_for(lambda: not fires(told(alertmanager)[-1]))
    said = len(alertmanager.received)
    time.sleep(0.6)
    assert len(alertmanager.received) == said, "what is over is told once"


def test_many_of_one_code_are_one_alert(stories: Stories, publisher: Publisher, receive: Receive, start: Start) -> None:
    alertmanager = receive((200, {}))
    for _ in range(3):
        give_up(stories, publisher, "store_unavailable")
    give_up(stories, publisher, "corrupt_document")
    start(alerts=raising_at(alertmanager))
    wait_for(lambda: "3 jobs" in str(told(alertmanager)))
    assert {one["labels"]["code"] for one in told(alertmanager)} == {"store_unavailable"}


def test_a_dead_delivery_is_raised_until_it_is_replayed(stories: Stories, receive: Receive, start: Start) -> None:
    alertmanager, receiver = receive((200, {})), receive((500, {}), (500, {}), (500, {}), (200, {}))
    start(alerts=raising_at(alertmanager))
    stories.to_deliver(receiver.url)
    alert = wait_for(lambda: told(alertmanager))[0]
    assert (alert["labels"]["alertname"], alert["labels"]["code"]) == ("ParapheDeliveryDead", "webhook")
    assert "answered 500" in alert["annotations"]["description"]
    (dead,) = stories.do(lambda c: deliveries.newest(c, stories.client.id, [DeliveryState.FAILED]))
    stories.do(lambda c: deliveries.replay(c, stories.client.id, dead.id))
    wait_for(lambda: not fires(told(alertmanager)[-1]))


def test_what_nobody_makes_good_grows_old(
    stories: Stories, publisher: Publisher, receive: Receive, start: Start
) -> None:
    alertmanager = receive((200, {}))
    start(alerts=raising_at(alertmanager, hold_s=0.5))
    give_up(stories, publisher)
    wait_for(lambda: told(alertmanager) and not fires(told(alertmanager)[-1]))


def test_an_alertmanager_that_is_away_is_told_once_it_is_back(
    stories: Stories, publisher: Publisher, receive: Receive, start: Start
) -> None:
    alertmanager, broken = receive((200, {})), receive((503, {}), (503, {}), (200, {}))
    settings = AlertSettings(manager_urls=(broken.url, alertmanager.url), raise_every_s=60)
    notifier = start(alerts=settings)
    give_up(stories, publisher)
    wait_for(lambda: notifier.value("paraphe_alertmanagers_unreachable") == 1)
    wait_for(lambda: len(broken.received) == 3)
    wait_for(lambda: notifier.value("paraphe_alertmanagers_unreachable") == 0)
    assert told(alertmanager), "one that is away holds up no other"


def test_what_another_notifier_has_told_is_not_out_of_reach_any_more(
    stories: Stories, publisher: Publisher, receive: Receive, start: Start
) -> None:
    reaches_none = start(alerts=raising_at(receive((503, {}))))
    job = give_up(stories, publisher)
    wait_for(lambda: reaches_none.value("paraphe_alertmanagers_unreachable") == 1)
    start(alerts=raising_at(receive((200, {}))))
    stories.do(lambda c: jobs.replay(c, stories.client.id, job.id, stories.settings))
    wait_for(lambda: reaches_none.value("paraphe_alertmanagers_unreachable") == 0)


def test_an_alertmanager_is_told_over_tls_by_the_authorities_read_at_the_start(
    stories: Stories, publisher: Publisher, receive: Receive, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    alertmanager = receive((200, {}), with_tls=True)
    start(alerts=raising_at(alertmanager))
    give_up(stories, publisher)
    wait_for(lambda: told(alertmanager))
    monkeypatch.delenv("SSL_CERT_FILE")
    told_before = len(told(alertmanager))
    wait_for(lambda: len(told(alertmanager)) > told_before + 2)


def test_each_alertmanager_that_a_name_leads_to_hears_of_the_end(
    stories: Stories, publisher: Publisher, receive: Receive, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that was away when it came. No proxy is asked: what it knows by that name might be another's."""
    name, resolved = "alertmanager.example", socket.getaddrinfo
    first = receive((200, {}))
    port = httpx.URL(first.url).port
    second = receive((200, {}), host="127.0.0.2", port=port)

    def resolve(host: Any, *about: Any, **more: Any) -> Any:
        hosts = ["127.0.0.1", "127.0.0.2"] if host in (name, name.encode()) else [host]
        return [found for one in hosts for found in resolved(one, *about, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    notifier = start(alerts=AlertSettings(manager_urls=(f"http://{name}:{port}",), raise_every_s=0.2))
    job = give_up(stories, publisher)
    for alertmanager in (first, second):
        assert fires(wait_for(lambda one=alertmanager: told(one))[0])
        assert alertmanager.received[0].headers["host"] == f"{name}:{port}"
    second.answers = [(503, {})]
    stories.do(lambda c: jobs.replay(c, stories.client.id, job.id, stories.settings))
    wait_for(lambda: not fires(told(first)[-1]))
    wait_for(lambda: notifier.value("paraphe_alertmanagers_unreachable") == 1)
    told_in_vain = len(second.received)
    second.answers = [(200, {})]
    wait_for(lambda: len(second.received) > told_in_vain)
    assert not fires(told(second)[-1])
    wait_for(lambda: notifier.value("paraphe_alertmanagers_unreachable") == 0)


def webhook(*told_alerts: dict[str, Any]) -> dict[str, Any]:
    return {"version": "4", "status": "firing", "receiver": "paraphe", "alerts": list(told_alerts)}


def alert_body(status: str = "firing", **changes: Any) -> dict[str, Any]:
    return {
        "status": status,
        "fingerprint": "c0ffee",
        "labels": {"alertname": "ParapheJobsStuck", "severity": "critical"},
        "annotations": {"summary": "A job has been queued for 31m"},
        "startsAt": "2026-05-04T12:00:00.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z" if status == "firing" else "2026-05-04T12:30:00Z",
        **changes,
    }


@pytest.fixture
def inbox(start: Start, clean_servers: Servers) -> Callable[..., httpx.Response]:
    """Sends to a running notifier's inbox."""
    port = free_port()
    start(alerts=AlertSettings(token=TOKEN, port=port))

    def post(body: Any, *, path: str = "/alerts", token: str | None = TOKEN) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return loopback.post(f"http://127.0.0.1:{port}{path}", content=content, headers=headers)

    wait_for(lambda: _answers(port))
    return post


def _answers(port: int) -> bool:
    try:
        return loopback.post(f"http://127.0.0.1:{port}/").status_code == 404
    except httpx.TransportError:
        return False


def test_what_alertmanager_tells_is_recorded_and_ended(stories: Stories, inbox: Callable[..., httpx.Response]) -> None:
    assert inbox(webhook(alert_body())).status_code == 204
    (_, one), *others = stories.do(alerts.newest)
    assert (one.name, one.severity, one.state, one.ends_at, others) == (
        "ParapheJobsStuck",
        "critical",
        AlertState.FIRING,
        None,
        [],
    )
    assert inbox(webhook(alert_body("resolved"), alert_body(startsAt="2026-05-05T12:00:00Z"))).status_code == 204
    assert [found.state for _, found in stories.do(alerts.newest)] == [AlertState.FIRING, AlertState.RESOLVED]


def test_an_alert_that_is_not_repeated_any_more_fires_no_longer(
    stories: Stories, inbox: Callable[..., httpx.Response]
) -> None:
    """Alertmanager says nothing of the end of one that is silenced at that moment."""
    inbox(webhook(alert_body()))
    for age, state in (("12 hours", AlertState.FIRING), ("14 hours", AlertState.RESOLVED)):
        unheard = text("update alerts set received_at = now() - cast(:age as interval)")
        stories.do(lambda c, unheard=unheard, age=age: c.execute(unheard, {"age": age}))
        ((_, one),) = stories.do(alerts.newest)
        assert (one.state, one.ends_at) == (state, None)
        for asked in AlertState:
            found = stories.do(lambda c, asked=asked: alerts.newest(c, asked))
            assert len(found) == (asked is state)
        assert stories.do(alerts.firing) == (state is AlertState.FIRING)
    inbox(webhook(alert_body()))
    assert stories.do(alerts.firing) == 1, "it was silenced, and fires on"


def test_only_who_has_the_token_is_heard(stories: Stories, inbox: Callable[..., httpx.Response]) -> None:
    for token in (None, "wrong", TOKEN + "x", TOKEN[:-1]):
        assert inbox(webhook(alert_body()), token=token).status_code == 401
    assert inbox(webhook(alert_body()), path="/other").status_code == 404
    assert stories.do(alerts.newest) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        [],
        {},
        {"alerts": 1},
        {"alerts": [1]},
        webhook({"status": "firing"}),
        webhook(alert_body("odd")),
        webhook(alert_body(labels=[])),
        webhook(alert_body(startsAt="yesterday")),
        webhook(alert_body(startsAt=None)),
    ],
)
def test_what_is_no_alert_is_refused(stories: Stories, inbox: Callable[..., httpx.Response], body: Any) -> None:
    assert inbox(body).status_code == 400
    assert stories.do(alerts.newest) == []


def test_texts_that_postgres_cannot_keep_are_made_fit(stories: Stories, inbox: Callable[..., httpx.Response]) -> None:
    labels = {"alertname": "A\0B", "severity": "critical"}
    assert inbox(webhook(alert_body(labels=labels, annotations={"x": "y" * 100_000}))).status_code == 204
    assert stories.do(alerts.newest)[0][1].name == "AB"


def test_while_the_database_is_away_alertmanager_is_asked_to_come_again(
    stories: Stories, inbox: Callable[..., httpx.Response], servers: Servers
) -> None:
    servers.postgres.kill()
    assert inbox(webhook(alert_body())).status_code == 503


def test_without_a_token_there_is_no_inbox(start: Start) -> None:
    port = free_port()
    start(alerts=AlertSettings(port=port))
    time.sleep(0.5)
    with pytest.raises(httpx.ConnectError):
        loopback.post(f"http://127.0.0.1:{port}/alerts")
