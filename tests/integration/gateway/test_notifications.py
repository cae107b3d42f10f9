"""Subscriptions, the webhook secret, deliveries and alerts over the API."""

from datetime import UTC, datetime, timedelta
from functools import partial

import httpx
import pytest
from sqlalchemy import Engine, text

from shared.db import alerts, deliveries, delivering, keys, subscriptions
from shared.db.keys import Scope
from shared.domain.alert import Alert, AlertState
from shared.domain.delivery import DeliveryState, Notice, NoticeKind
from shared.domain.events import EventKind
from shared.domain.subscription import Channel, Language
from tests.integration.db.stories import Stories, attempt
from tests.integration.gateway.conftest import Ask, GatewayProcess, MakeKey

URL = "https://hooks.example.com/in"


@pytest.fixture
def admin(gateway: GatewayProcess, make_key: MakeKey) -> httpx.Client:
    return gateway.client(make_key(Scope.ADMIN))


@pytest.fixture
def stories(engine: Engine) -> Stories:
    """Jobs of the client whose keys the tests use."""
    return Stories(engine)


def fail_all(stories: Stories) -> None:
    for due in stories.take_due():
        stories.do(partial(delivering.finish, due=due, attempt=attempt(500), state=DeliveryState.FAILED))


def test_subscriptions_are_made_listed_and_removed(admin: httpx.Client) -> None:
    hook = admin.post("/v1/subscriptions", json={"url": URL})
    mail = admin.post(
        "/v1/subscriptions", json={"email": "office@example.org", "kinds": ["job.failed"], "language": "fr"}
    )
    assert (hook.status_code, mail.status_code) == (201, 201)
    assert hook.json()["kinds"] == ["job.canceled", "job.failed", "job.succeeded"]
    assert (mail.json()["channel"], mail.json()["url"]) == ("email", "mailto:office@example.org")
    assert admin.get("/v1/subscriptions").json()["subscriptions"] == [hook.json(), mail.json()]
    assert admin.post("/v1/subscriptions", json={"url": URL}).status_code == 409
    assert admin.delete(f"/v1/subscriptions/{hook.json()['id']}").status_code == 204
    assert admin.delete(f"/v1/subscriptions/{hook.json()['id']}").status_code == 404
    assert [one["id"] for one in admin.get("/v1/subscriptions").json()["subscriptions"]] == [mail.json()["id"]]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"url": URL, "email": "a@example.org"}, ""),
        ({"url": "ftp://example.org/"}, "/url"),
        ({"email": "a@example.org\nBcc: b@example.org"}, "/email"),
        ({"email": "a@example.org, b@example.org"}, "/email"),
        ({"email": "Zoë <a@example.org>"}, "/email"),
        ({"url": URL, "kinds": []}, "/kinds"),
        ({"url": URL, "kinds": ["job.exploded"]}, "/kinds/0"),
        ({"url": URL, "language": "de"}, "/language"),
        ({"url": URL, "secret": "x"}, "/secret"),
    ],
)
def test_subscriptions_that_cannot_be(admin: httpx.Client, body: dict[str, object], pointer: str) -> None:
    answer = admin.post("/v1/subscriptions", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


def test_only_administrators_of_the_same_client(
    gateway: GatewayProcess, admin: httpx.Client, make_key: MakeKey
) -> None:
    made = admin.post("/v1/subscriptions", json={"url": URL}).json()["id"]
    with gateway.client(make_key(Scope.ADMIN, client="neighbour")) as neighbour:
        assert neighbour.get("/v1/subscriptions").json() == {"subscriptions": []}
        assert neighbour.delete(f"/v1/subscriptions/{made}").status_code == 404
    with gateway.client(make_key(Scope.SUBMIT, Scope.READ)) as plain:
        for method, path in (
            ("GET", "/v1/subscriptions"),
            ("POST", "/v1/subscriptions"),
            ("POST", "/v1/webhook-secret/rotate"),
            ("GET", "/v1/alerts"),
            ("GET", "/v1/deliveries?to=operators"),
        ):
            assert plain.request(method, path).status_code == 403, path


def test_the_secret_is_rotated(admin: httpx.Client, engine: Engine) -> None:
    with engine.begin() as connection:
        before = keys.ensure_client(connection, "acme")
    answer = admin.post("/v1/webhook-secret/rotate", params={"overlap_hours": 2}).json()
    with engine.begin() as connection:
        after = keys.client(connection, before.id)
        previous = connection.execute(text("select previous_webhook_secret from clients")).scalar_one()
    assert (answer["webhook_secret"], previous) == (after.webhook_secret, before.webhook_secret)
    left = datetime.fromisoformat(answer["previous_valid_until"]) - datetime.now(UTC)
    assert timedelta(minutes=119) < left <= timedelta(hours=2)


@pytest.mark.usefixtures("lost_answers")
def test_a_rotation_of_which_the_database_did_not_answer_happens_once(
    ask: Ask, make_key: MakeKey, engine: Engine
) -> None:
    with engine.begin() as connection:
        before = keys.ensure_client(connection, "acme")
    answer = ask("POST", "/v1/webhook-secret/rotate", make_key(Scope.ADMIN)).json()
    with engine.begin() as connection:
        kept = connection.execute(text("select previous_webhook_secret, webhook_secret from clients")).one()
        told = connection.execute(text("select action from audit_lines")).scalars().all()
    assert kept == (before.webhook_secret, answer["webhook_secret"])
    assert told == ["webhook_secret.rotated"]


def test_deliveries_are_listed_in_pages_and_by_state(admin: httpx.Client, stories: Stories) -> None:
    stories.to_deliver(*(f"{URL}/{number}" for number in range(3)))
    fail_all(stories)
    stories.to_deliver(f"{URL}/3")
    first = admin.get("/v1/deliveries", params={"limit": 3}).json()
    rest = admin.get("/v1/deliveries", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert [one["url"][-1] for one in first["deliveries"] + rest["deliveries"]] == ["3", "2", "1", "0"]
    assert rest["next_cursor"] is None
    failed = admin.get("/v1/deliveries", params={"state": "failed"}).json()["deliveries"]
    assert [one["url"][-1] for one in failed] == ["2", "1", "0"]
    assert {(one["kind"], one["attempts"][0]["status"]) for one in failed} == {("job.succeeded", 500)}


def test_a_failed_delivery_is_replayed_once(gateway: GatewayProcess, make_key: MakeKey, stories: Stories) -> None:
    stories.to_deliver(URL)
    fail_all(stories)
    with gateway.client(make_key(Scope.SUBMIT, Scope.READ)) as client:
        (failed,) = client.get("/v1/deliveries").json()["deliveries"]
        path = f"/v1/deliveries/{failed['id']}/replay"
        again = client.post(path)
        assert (again.status_code, again.json()["state"]) == (202, "pending")
        assert client.post(path).status_code == 409
    with gateway.client(make_key(Scope.SUBMIT, client="neighbour")) as neighbour:
        assert neighbour.post(path).status_code == 404
    assert [one.attempt for one in stories.take_due()] == [1]


def test_operators_notices_are_apart(admin: httpx.Client, stories: Stories) -> None:
    notice = Notice(NoticeKind.JOB_GIVEN_UP, {"code": "worker_lost"})
    stories.do(lambda c: deliveries.notify(c, notice, ["ops@example.org"], Language.ENGLISH))
    assert admin.get("/v1/deliveries").json()["deliveries"] == []
    (found,) = admin.get("/v1/deliveries", params={"to": "operators"}).json()["deliveries"]
    assert (found["kind"], found["job_id"], found["url"]) == ("job_given_up", None, "mailto:ops@example.org")
    (due,) = stories.take_due(Channel.EMAIL)
    stories.do(lambda c: delivering.finish(c, due, attempt(550), DeliveryState.FAILED))
    path = f"/v1/deliveries/{found['id']}/replay"
    assert admin.post(path).status_code == 404
    assert admin.post(path, params={"to": "operators"}).status_code == 202


def test_alerts_are_listed_newest_first(admin: httpx.Client, stories: Stories) -> None:
    began = datetime(2026, 5, 4, tzinfo=UTC)

    def told(name: str, state: AlertState) -> Alert:
        ends = began + timedelta(hours=1) if state is AlertState.RESOLVED else None
        labels = {"alertname": name, "severity": "critical"}
        return Alert(name, name, "critical", state, labels, {"summary": "Look."}, began, ends)

    for one in (
        told("First", AlertState.FIRING),
        told("Second", AlertState.FIRING),
        told("First", AlertState.RESOLVED),
        told("First", AlertState.FIRING),  # a late repeat
    ):
        stories.do(partial(alerts.record, told=[one]))
    found = admin.get("/v1/alerts").json()["alerts"]
    assert [(one["name"], one["state"]) for one in found] == [("Second", "firing"), ("First", "resolved")]
    assert [one["name"] for one in admin.get("/v1/alerts", params={"state": "firing"}).json()["alerts"]] == ["Second"]
    page = admin.get("/v1/alerts", params={"limit": 1}).json()
    following = admin.get("/v1/alerts", params={"limit": 1, "cursor": page["next_cursor"]}).json()
    assert [one["name"] for one in following["alerts"]] == ["First"]


def test_what_is_done_is_in_the_audit_log(admin: httpx.Client, engine: Engine) -> None:
    made = admin.post("/v1/subscriptions", json={"url": URL}).json()["id"]
    admin.delete(f"/v1/subscriptions/{made}")
    admin.post("/v1/webhook-secret/rotate")
    with engine.begin() as connection:
        actions = connection.execute(text("select action from audit_lines order by id")).scalars().all()
    assert actions == ["subscription.added", "subscription.removed", "webhook_secret.rotated"]


def test_subscribing_anew_enables_an_address_that_was_gone(admin: httpx.Client, stories: Stories) -> None:
    kinds = [EventKind.JOB_SUCCEEDED]
    made = stories.do(lambda c: subscriptions.add(c, stories.client.id, url=URL, kinds=kinds))
    stories.to_deliver("https://other.example.com/")
    due = next(one for one in stories.take_due() if one.url == URL)
    stories.do(lambda c: delivering.finish(c, due, attempt(410), DeliveryState.DISABLED))
    (gone,) = admin.get("/v1/subscriptions").json()["subscriptions"]
    assert gone["disabled_at"] is not None
    admin.delete(f"/v1/subscriptions/{made.id}")
    assert admin.post("/v1/subscriptions", json={"url": URL}).json()["disabled_at"] is None
