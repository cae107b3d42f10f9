"""A job's events, at once or as they happen."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import Engine

from paraphe import Client
from shared.db.keys import Scope
from tests.integration.gateway.conftest import GatewayProcess, MakeKey
from tests.integration.gateway.test_submit import submit
from tests.integration.gateway.workers import claim, fail, succeed


@dataclass
class Received:
    sequence: int
    kind: str
    data: dict[str, Any]


def stream(client: httpx.Client, job_id: str, after: int | None = None) -> Iterator[Received]:
    headers = {"Last-Event-ID": str(after)} if after is not None else {}
    with client.stream("GET", f"/v1/jobs/{job_id}/events", headers=headers) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if line and name:
                fields[name] = value
            elif not line and "id" in fields:
                yield Received(int(fields["id"]), fields["event"], json.loads(fields["data"]))
                fields = {}


def test_a_stream_follows_the_job_to_its_outcome(client: httpx.Client, engine: Engine) -> None:
    job_id = submit(client).json()["id"]
    worker = threading.Timer(0.5, succeed, [engine, job_id])
    worker.start()
    started = time.monotonic()
    received = list(stream(client, job_id))
    worker.join()
    assert [one.kind for one in received] == ["job.queued", "job.started", "job.succeeded"]
    assert [one.sequence for one in received] == sorted(one.sequence for one in received)
    last = received[-1].data
    assert (last["kind"], last["job_id"], last["data"]["verdict"]) == ("job.succeeded", job_id, "signed")
    assert time.monotonic() - started < 4  # announced, not found by looking again


def test_it_resumes_after_the_last_event_and_ends_for_good(client: httpx.Client, engine: Engine) -> None:
    job_id = submit(client).json()["id"]
    succeed(engine, job_id)
    received = list(stream(client, job_id))
    rest = list(stream(client, job_id, after=received[0].sequence))
    assert [one.kind for one in rest] == ["job.started", "job.succeeded"]
    over = client.get(f"/v1/jobs/{job_id}/events", headers={"Last-Event-ID": str(received[-1].sequence)})
    assert over.status_code == 204


def test_a_replayed_job_streams_beyond_its_first_outcome(client: httpx.Client, engine: Engine) -> None:
    job_id = submit(client).json()["id"]
    fail(engine, job_id)
    client.post(f"/v1/jobs/{job_id}/replay")
    worker = threading.Timer(0.3, succeed, [engine, job_id])
    worker.start()
    kinds = [one.kind for one in stream(client, job_id)]
    worker.join()
    assert kinds[2:4] == ["job.failed", "job.replayed"]
    assert kinds[-1] == "job.succeeded"


def test_erasing_ends_the_stream(client: httpx.Client) -> None:
    job_id = submit(client).json()["id"]
    received = stream(client, job_id)
    assert next(received).kind == "job.queued"
    assert client.delete(f"/v1/jobs/{job_id}").status_code == 204
    assert [one.kind for one in received] == ["job.erased"]


def test_our_client_ends_where_the_stream_does(gateway: GatewayProcess, make_key: MakeKey, engine: Engine) -> None:
    """Also after a correction and an erasure: it does not wait for an outcome that was there, or cannot come."""
    key = make_key(Scope.SUBMIT, Scope.READ, Scope.REVIEW)
    with gateway.client(key) as http, Client(gateway.url, key.text) as client:
        corrected, erased = (str(submit(http).json()["id"]) for _ in range(2))
        succeed(engine, corrected)
        body = {"boxes": [], "no_signature": True}
        assert http.put(f"/v1/jobs/{corrected}/pages/1/correction", json=body, headers={"If-Match": "*"}).is_success
        assert [one.kind for one in client.events(corrected)][-2:] == ["job.succeeded", "job.corrected"]
        events = client.events(erased)
        assert next(events).kind == "job.queued"
        client.erase(erased)
        assert [one.kind for one in events] == ["job.erased"]


def test_json_is_answered_at_once(client: httpx.Client, engine: Engine) -> None:
    job_id = submit(client).json()["id"]
    claim(engine, job_id)
    answer = client.get(f"/v1/jobs/{job_id}/events", headers={"Accept": "application/json"})
    assert [event["kind"] for event in answer.json()["events"]] == ["job.queued", "job.started"]


def test_silence_is_filled_with_comments(narrow_client: httpx.Client) -> None:
    job_id = submit(narrow_client).json()["id"]
    with narrow_client.stream("GET", f"/v1/jobs/{job_id}/events") as answer:
        lines = answer.iter_lines()
        comments = [line for line in (next(lines) for _ in range(12)) if line.startswith(":")]
    assert len(comments) >= 2
