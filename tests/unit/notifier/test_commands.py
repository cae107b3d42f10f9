"""What an administrator types about subscriptions, deliveries and alerts, against a server that answers as told."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from paraphe.cli.main import app
from tests.unit.paraphe.conftest import Answer, ScriptedServer

SUBSCRIPTION = {
    "id": "s1",
    "channel": "email",
    "url": "mailto:office@example.org",
    "kinds": ["job.failed"],
    "language": "fr",
    "created_at": "2026-05-04T12:00:00+00:00",
    "disabled_at": None,
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    monkeypatch.setenv("COLUMNS", "200")
    server = ScriptedServer()
    yield server
    server.stop()


def run(server: ScriptedServer, *args: str) -> Result:
    return CliRunner().invoke(app, [*args, "--url", server.url, "--key", "pk"])


def delivery(number: int, state: str = "failed") -> dict[str, Any]:
    return {
        "id": f"d{number}",
        "event_id": f"e{number}",
        "job_id": f"j{number}",
        "kind": "job.succeeded",
        "channel": "webhook",
        "url": "https://hooks.example.com/in",
        "state": state,
        "attempts": [{"at": "2026-05-04T12:00:00+00:00", "status": 503, "error": None, "milliseconds": 5.0}],
        "created_at": "2026-05-04T12:00:00+00:00",
        "next_attempt_at": None,
    }


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ("https://hooks.example.com/in", {"url": "https://hooks.example.com/in"}),
        ("office@example.org", {"email": "office@example.org", "kinds": ["job.failed"], "language": "fr"}),
    ],
)
def test_subscribing(server: ScriptedServer, address: str, sent: dict[str, Any]) -> None:
    server.will_answer(Answer(201, SUBSCRIPTION))
    options = ["--kind", "job.failed", "--language", "fr"] if "email" in sent else []
    done = run(server, "subscriptions", "add", address, *options)
    assert (done.exit_code, done.stdout.strip()) == (0, "s1")
    assert json.loads(server.asked[0].body) == sent


def test_subscriptions_are_listed_and_removed(server: ScriptedServer) -> None:
    gone = {**SUBSCRIPTION, "id": "s2", "disabled_at": "2026-05-04T12:00:00+00:00"}
    server.will_answer(Answer(200, {"subscriptions": [SUBSCRIPTION, gone]}), Answer(204))
    listed = run(server, "subscriptions", "list").stdout
    assert "mailto:office@example.org (fr)" in listed
    assert "gone since 05-04" in listed
    assert run(server, "subscriptions", "remove", "s1").exit_code == 0
    assert (server.asked[1].method, server.asked[1].path) == ("DELETE", "/v1/subscriptions/s1")


def test_the_new_secret_alone_is_on_standard_output(server: ScriptedServer) -> None:
    answer = {"webhook_secret": "whsec_new", "previous_valid_until": "2026-05-04T12:00:00+00:00"}
    server.will_answer(Answer(200, answer))
    done = run(server, "subscriptions", "rotate-secret", "--overlap-hours", "0")
    assert done.stdout.splitlines()[0] == "whsec_new"
    assert server.asked[0].path == "/v1/webhook-secret/rotate?overlap_hours=0"


def test_deliveries_are_listed_page_by_page(server: ScriptedServer) -> None:
    server.will_answer(
        Answer(200, {"deliveries": [delivery(1)], "next_cursor": "c"}),
        Answer(200, {"deliveries": [delivery(2, "pending")], "next_cursor": None}),
    )
    listed = run(server, "deliveries", "list", "--state", "failed").stdout
    rows = [line.split() for line in listed.splitlines() if "hooks.example.com" in line]
    assert [(row[0], row[-1]) for row in rows] == [("d1", "503"), ("d2", "503")]
    assert "state=failed" in server.asked[0].path
    assert "cursor=c" in server.asked[1].path


def test_all_that_were_given_up_are_replayed(server: ScriptedServer) -> None:
    server.will_answer(
        Answer(200, {"deliveries": [delivery(1), delivery(2)], "next_cursor": None}),
        Answer(202, delivery(1, "pending")),
        Answer(202, delivery(2, "pending")),
    )
    done = run(server, "deliveries", "replay", "--failed", "--operators")
    assert done.stdout.splitlines() == ["d1 is sent once more", "d2 is sent once more"]
    assert [asked.path for asked in server.asked[1:]] == [
        "/v1/deliveries/d1/replay?to=operators",
        "/v1/deliveries/d2/replay?to=operators",
    ]


@pytest.mark.parametrize("arguments", [[], ["d1", "--failed"]])
def test_replaying_needs_ids_or_the_word_and_not_both(server: ScriptedServer, arguments: list[str]) -> None:
    assert run(server, "deliveries", "replay", *arguments).exit_code == 2
    assert server.asked == []


def test_alerts_are_listed(server: ScriptedServer) -> None:
    alert = {
        "fingerprint": "c0ffee",
        "name": "ParapheJobsStuck",
        "severity": "critical",
        "state": "resolved",
        "labels": {},
        "annotations": {"summary": "A job [has been] queued for 31m"},
        "starts_at": "2026-05-04T12:00:00+00:00",
        "ends_at": "2026-05-04T12:30:00+00:00",
    }
    server.will_answer(Answer(200, {"alerts": [alert], "next_cursor": None}))
    listed = run(server, "alerts", "list", "--state", "resolved").stdout
    assert "ParapheJobsStuck" in listed
    assert "A job [has been] queued for 31m" in listed
