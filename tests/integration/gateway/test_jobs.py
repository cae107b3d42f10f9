"""Jobs as their client sees and steers them."""

import base64
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import Engine, select

from services.gateway.answer_schemas import DeliveriesOut, JobOut
from shared.db import deliveries, delivering
from shared.db import events as event_store
from shared.db.keys import Scope
from shared.db.tables import audit_lines, events, jobs
from shared.domain.delivery import Attempt
from shared.domain.detection import Page, Tone
from shared.domain.subscription import Channel
from shared.objects import ObjectMissingError, ObjectStore
from tests import loopback
from tests.integration.gateway.conftest import GatewayProcess, Key, MakeKey
from tests.integration.gateway.test_submit import object_name, submit
from tests.integration.gateway.workers import claim, fail, png, succeed, working


def listed(client: httpx.Client, **parameters: object) -> list[str]:
    answer = client.get("/v1/jobs", params=parameters)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return [job["id"] for job in answer.json()["jobs"]]


def test_a_finished_job_shows_everything_found(client: httpx.Client, engine: Engine) -> None:
    requirements = {"min_signatures": 1, "zones": [{"page": -1, "box": [0, 0.5, 1, 1], "min": 2}]}
    body = {"document": base64.b64encode(png()).decode(), "requirements": requirements}
    job_id = client.post("/v1/jobs", json=body).json()["id"]
    succeed(engine, job_id)

    job = client.get(f"/v1/jobs/{job_id}").json()
    JobOut.model_validate(job)
    assert (job["status"], job["attempts"], job["error"]) == ("succeeded", 1, None)
    result = job["result"]
    assert (result["verdict"], result["count"]) == ("review", 1)
    assert [one["state"] for one in result["requirements"]] == ["met", "review"]
    assert [one["zone"] for one in result["requirements"]] == [None, 0]
    assert result["model"] == {"name": "signatures", "version": "1"}
    assert set(result["timings"]) == {"queued", "fetched", "rendered", "inferred", "recorded"}
    (page,) = result["pages"]
    assert (page["number"], page["width"], page["height"], page["tone"]) == (1, 200, 300, "grey")
    assert page["detections"][0] == {
        "id": "p1-1",
        "kind": "signature",
        "confidence": 0.9,
        "box": {"x": 20.4, "y": 200.6, "width": 60, "height": 30},
        "box_normalized": {"x": 0.102, "y": 0.668667, "width": 0.3, "height": 0.1},
    }


def test_a_failed_job_says_why(client: httpx.Client, engine: Engine) -> None:
    job_id = submit(client).json()["id"]
    fail(engine, job_id)
    job = client.get(f"/v1/jobs/{job_id}").json()
    assert (job["status"], job["result"]) == ("failed", None)
    assert job["error"] == {"code": "encrypted_document", "detail": "It is encrypted; remove the password."}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/cancel"),
        ("POST", "/replay"),
        ("GET", "/events"),
        ("GET", "/deliveries"),
        ("GET", "/pages/1.png"),
    ],
)
def test_other_clients_jobs_do_not_exist(
    client: httpx.Client, gateway: GatewayProcess, make_key: MakeKey, method: str, path: str
) -> None:
    job_id = submit(client).json()["id"]
    with gateway.client(make_key(*Scope, client="other")) as other:
        theirs = other.request(method, f"/v1/jobs/{job_id}{path}")
        nobodys = other.request(method, f"/v1/jobs/{uuid4()}{path}")
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json()["code"] == nobodys.json()["code"] == "not_found"
    assert client.get(f"/v1/jobs/{job_id}").json()["status"] == "queued"


class TestWaiting:
    def test_a_long_poll_ends_with_the_outcome(self, client: httpx.Client, engine: Engine) -> None:
        job_id = submit(client).json()["id"]
        with working(engine, after_s=0.7):
            answer = client.get(f"/v1/jobs/{job_id}", params={"wait": 20})
        assert answer.json()["status"] == "succeeded"
        assert 0.5 < answer.elapsed.total_seconds() < 4

    def test_it_ends_at_its_time_with_the_job_as_it_is(self, client: httpx.Client) -> None:
        job_id = submit(client).json()["id"]
        answer = client.get(f"/v1/jobs/{job_id}", params={"wait": 1})
        assert (answer.status_code, answer.json()["status"]) == (200, "queued")
        assert 1 <= answer.elapsed.total_seconds() < 3

    @pytest.mark.parametrize("wait", ["-1", "61", "x", "nan"])
    def test_only_up_to_a_minute(self, client: httpx.Client, wait: str) -> None:
        answer = client.get(f"/v1/jobs/{uuid4()}", params={"wait": wait})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/query/wait")

    def test_many_who_wait_hold_no_threads(self, gateway: GatewayProcess, key: Key, engine: Engine) -> None:
        limits = httpx.Limits(max_connections=200)
        with loopback.Client(base_url=gateway.url, headers=key.headers, timeout=60, limits=limits) as client:
            job_id = submit(client).json()["id"]
            with ThreadPoolExecutor(100) as pool:
                polls = [pool.submit(client.get, f"/v1/jobs/{job_id}?wait=30") for _ in range(100)]
                time.sleep(1.5)
                started = time.monotonic()
                assert client.get("/v1/jobs").status_code == 200
                quick = time.monotonic() - started
                succeed(engine, job_id)
                states = {poll.result().json()["status"] for poll in polls}
        assert states == {"succeeded"}
        assert quick < 1


class TestList:
    def test_newest_first_in_pages(self, client: httpx.Client) -> None:
        made = [submit(client).json()["id"] for _ in range(5)]
        first = client.get("/v1/jobs", params={"limit": 2}).json()
        second = client.get("/v1/jobs", params={"limit": 2, "cursor": first["next_cursor"]}).json()
        third = client.get("/v1/jobs", params={"limit": 2, "cursor": second["next_cursor"]}).json()
        found = [job["id"] for page in (first, second, third) for job in page["jobs"]]
        assert found == made[::-1]
        assert third["next_cursor"] is None

    def test_filters(self, client: httpx.Client, engine: Engine) -> None:
        queued, done, failed = (submit(client).json()["id"] for _ in range(3))
        succeed(engine, done)
        fail(engine, failed)
        assert listed(client, status="queued") == [queued]
        assert listed(client, status=["succeeded", "failed"]) == [failed, done]
        assert listed(client, verdict="signed") == [done]
        assert listed(client, verdict="unsigned") == []
        shown = client.get("/v1/jobs", params={"verdict": "signed"}).json()["jobs"][0]
        assert shown["result"] == {"verdict": "signed", "count": 1, "tone": "grey"}

    def test_by_the_tone_of_the_richest_page(self, client: httpx.Client, engine: Engine) -> None:
        bilevel, grey, colour, unknown = (submit(client).json()["id"] for _ in range(4))
        for job_id, tone in ((bilevel, Tone.BILEVEL), (grey, Tone.GREY), (colour, Tone.COLOUR), (unknown, None)):
            succeed(engine, job_id, (Page(1, 200, 300, tone=tone and Tone.BILEVEL), Page(2, 200, 300, tone=tone)))
        assert listed(client, tone="colour") == [colour]
        assert listed(client, tone=["bilevel", "grey"]) == [grey, bilevel]
        found = client.get(f"/v1/jobs/{grey}").json()["result"]
        assert (found["tone"], [page["tone"] for page in found["pages"]]) == ("grey", ["bilevel", "grey"])
        old = client.get(f"/v1/jobs/{unknown}").json()["result"]
        assert (old["tone"], old["pages"][0]["tone"]) == (None, None)

    def test_time_range(self, client: httpx.Client) -> None:
        first = submit(client).json()
        second = submit(client).json()
        assert listed(client, created_from=second["created_at"]) == [second["id"]]
        assert listed(client, created_until=second["created_at"]) == [first["id"]]
        later = datetime.fromisoformat(second["created_at"]).replace(tzinfo=None) + timedelta(seconds=1)
        assert listed(client, created_from=later.isoformat()) == []

    def test_metadata(self, client: httpx.Client) -> None:
        def made(metadata: str) -> str:
            parameters = {"metadata": metadata}
            kind = {"Content-Type": "image/png"}
            return str(client.post("/v1/jobs", params=parameters, content=png(), headers=kind).json()["id"])

        text, number, other = made('{"year": "2024", "a:b": 1}'), made('{"year": 2024}'), made('{"place": "Köln"}')
        assert listed(client, metadata="year") == [number, text]
        assert listed(client, metadata="year:2024") == [number, text]
        assert listed(client, metadata="place:Köln") == [other]
        large = made(f'{{"count": {10**400}}}')
        assert listed(client, metadata=f"count:{10**400}") == [large]
        assert listed(client, metadata=f"count:{'[' * 3000}") == []
        assert listed(client, metadata=["year:2024", "a:b"]) == []
        assert listed(client, metadata=["year:2024", "year:2025"]) == []

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("limit", "0"),
            ("limit", "201"),
            ("status", "done"),
            ("verdict", "maybe"),
            ("tone", "sepia"),
            ("cursor", "!"),
            ("cursor", "YQ"),
            ("created_from", "yesterday"),
            ("created_from", "0001-01-01T00:00:00+01:00"),
            ("metadata", ":x"),
            ("metadata", "a\0b"),
        ],
    )
    def test_what_cannot_be_asked(self, client: httpx.Client, name: str, value: str) -> None:
        answer = client.get("/v1/jobs", params={name: value})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), answer.text
        assert answer.json()["errors"][0]["pointer"].startswith(f"/query/{name}")


class TestSteering:
    def test_cancel_while_queued_and_while_processing(self, client: httpx.Client, engine: Engine) -> None:
        queued, processing = submit(client).json()["id"], submit(client).json()["id"]
        claim(engine, processing)
        for job_id in (queued, processing):
            answer = client.post(f"/v1/jobs/{job_id}/cancel")
            assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
        again = client.post(f"/v1/jobs/{queued}/cancel")
        assert (again.status_code, again.json()["code"]) == (409, "conflict")
        assert "canceled" in again.json()["detail"]

    def test_only_failed_jobs_are_replayed(self, client: httpx.Client, engine: Engine) -> None:
        job_id = submit(client).json()["id"]
        assert client.post(f"/v1/jobs/{job_id}/replay").status_code == 409
        fail(engine, job_id)
        answer = client.post(f"/v1/jobs/{job_id}/replay")
        assert (answer.status_code, answer.json()["status"], answer.json()["error"]) == (202, "queued", None)
        assert answer.headers["Location"] == f"/v1/jobs/{job_id}"
        succeed(engine, job_id)
        assert client.get(f"/v1/jobs/{job_id}").json()["status"] == "succeeded"

    def test_a_replay_is_on_record(self, client: httpx.Client, key: Key, engine: Engine) -> None:
        job_id = submit(client).json()["id"]
        client.post(f"/v1/jobs/{job_id}/replay")  # refused: nothing happens, nothing is noted
        fail(engine, job_id)
        client.post(f"/v1/jobs/{job_id}/replay")
        with engine.connect() as connection:
            lines = connection.execute(select(audit_lines.c.action, audit_lines.c.subject, audit_lines.c.key_id)).all()
        assert lines == [("job.replayed", job_id, key.row.id)]

    def test_erasing_leaves_nothing_but_a_line(self, client: httpx.Client, engine: Engine, store: ObjectStore) -> None:
        job_id = submit(client).json()["id"]
        succeed(engine, job_id)
        stored = object_name(engine, job_id)
        assert client.delete(f"/v1/jobs/{job_id}").status_code == 204
        with pytest.raises(ObjectMissingError):
            store.size(stored)
        assert client.get(f"/v1/jobs/{job_id}").status_code == 404
        assert client.delete(f"/v1/jobs/{job_id}").status_code == 404
        with engine.connect() as connection:
            assert connection.execute(select(jobs.c.id)).all() == []
            lines = connection.execute(select(audit_lines.c.action, audit_lines.c.subject)).all()
            kinds = connection.execute(select(events.c.kind).order_by(events.c.sequence)).scalars().all()
        assert lines == [("job.erased", job_id)]
        assert kinds[-1] == "job.erased"


def test_deliveries_show_every_attempt(client: httpx.Client, engine: Engine) -> None:
    body = {"document": base64.b64encode(png()).decode(), "callback_url": "https://example.org/hook"}
    job_id = client.post("/v1/jobs", json=body).json()["id"]
    assert client.get(f"/v1/jobs/{job_id}/deliveries").json() == {"deliveries": []}
    succeed(engine, job_id)
    attempt = Attempt(datetime.now(UTC), 500, "It answered 500.", 12.34, succeeded=False)
    with engine.begin() as connection:
        happened = [event.id for event in event_store.of_job(connection, UUID(job_id))]
        deliveries.create(connection, deliveries.wanted(connection, happened))
        (due,) = delivering.take_due(connection, Channel.WEBHOOK, limit=1, per_receiver=1, busy={}, lease_s=10)
        delivering.retry(connection, due, attempt, wait_s=60)
    answer = client.get(f"/v1/jobs/{job_id}/deliveries").json()
    DeliveriesOut.model_validate(answer)
    (shown,) = answer["deliveries"]
    assert (shown["url"], shown["state"]) == ("https://example.org/hook", "pending")
    assert [(one["status"], one["milliseconds"]) for one in shown["attempts"]] == [(500, 12.3)]
    assert shown["next_attempt_at"] is not None
