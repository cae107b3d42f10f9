"""A document becomes a job, whichever way it comes in."""

import base64
import hashlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import redis
from sqlalchemy import Engine, select

from shared.db.keys import Scope
from shared.db.tables import documents, jobs
from shared.domain.job import Priority
from shared.objects import ObjectStore
from shared.queue import DETECT_QUEUE, EVENT_QUEUE, PRIORITY_STEPS, queue_lists
from tests.integration.gateway.conftest import GatewayProcess, MakeKey
from tests.integration.gateway.workers import png, succeed, working
from tests.servers import Servers

ZONE = {"page": -1, "box": [0, 0.6, 1, 1], "min": 1}
OPTIONS = {
    "priority": "bulk",
    "requirements": {"min_signatures": 2, "zones": [ZONE]},
    "metadata": {"case": "2024-117", "nested": {"ä": [1, 2.5, None]}, "path": r"C:\u0000"},
    "callback_url": "https://example.org/hook?x=1",
}
AS_TEXTS = {name: value if isinstance(value, str) else json.dumps(value) for name, value in OPTIONS.items()}


def submit(client: httpx.Client, content: bytes | None = None, **headers: str) -> httpx.Response:
    named = {"Content-Type": "image/png"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/v1/jobs", content=png() if content is None else content, headers=named)


def object_name(engine: Engine, job_id: str) -> str:
    with engine.connect() as connection:
        row = connection.execute(select(documents).join(jobs).where(jobs.c.id == job_id)).one()
    return f"documents/{row.client_id}/{row.sha256}/{row.id}"


def test_a_form_with_all_options_is_stored_and_queued(
    client: httpx.Client, engine: Engine, store: ObjectStore, tmp_path: Path, servers: Servers
) -> None:
    content = png()
    answer = client.post("/v1/jobs", files={"file": ("lease.png", content, "image/png")}, data=AS_TEXTS)

    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["Location"] == job["links"]["self"] == f"/v1/jobs/{job['id']}"
    assert answer.headers["Retry-After"] == "1"
    assert job["status"] == "queued"
    assert {name: job[name] for name in OPTIONS} == OPTIONS
    sha256 = hashlib.sha256(content).hexdigest()
    assert job["document"] == {
        "sha256": sha256,
        "size": len(content),
        "media_type": "image/png",
        "filename": "lease.png",
    }
    store.fetch(object_name(engine, job["id"]), tmp_path / "stored")
    assert (tmp_path / "stored").read_bytes() == content
    broker = redis.Redis.from_url(servers.environment["PARAPHE_REDIS_URL"])
    bulk = queue_lists(DETECT_QUEUE)[sorted(PRIORITY_STEPS.values()).index(PRIORITY_STEPS[Priority.BULK])]
    assert (broker.llen(bulk), broker.llen(EVENT_QUEUE)) == (1, 1)


def test_a_raw_body_takes_options_from_the_query(client: httpx.Client) -> None:
    answer = client.post(
        "/v1/jobs",
        params={**AS_TEXTS, "filename": "Mietvertrag ä.png"},
        content=png(),
        headers={"Content-Type": "application/octet-stream"},
    )
    job = answer.json()
    assert answer.status_code == 202, job
    assert {name: job[name] for name in OPTIONS} == OPTIONS
    assert (job["document"]["media_type"], job["document"]["filename"]) == ("image/png", "Mietvertrag ä.png")


def test_json_carries_base64_also_with_line_breaks(client: httpx.Client) -> None:
    body = {"document": base64.encodebytes(png()).decode(), "filename": "a.png", **OPTIONS}
    answer = client.post("/v1/jobs", json=body)
    job = answer.json()
    assert answer.status_code == 202, job
    assert job["document"]["sha256"] == hashlib.sha256(png()).hexdigest()
    assert {name: job[name] for name in OPTIONS} == OPTIONS


def test_a_large_file_is_spooled_and_stored_whole(client: httpx.Client, engine: Engine, store: ObjectStore) -> None:
    content = png() + bytes(24 * 1024 * 1024)
    job = client.post("/v1/jobs", files={"file": ("big.png", content)}).json()
    assert job["document"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert store.size(object_name(engine, job["id"])) == len(content)


class TestIdempotency:
    def test_same_key_same_content_gives_the_first_job(self, client: httpx.Client, engine: Engine) -> None:
        first = submit(client, Idempotency_Key="k")
        again = client.post("/v1/jobs", files={"file": ("other-name.png", png())}, headers={"Idempotency-Key": "k"})
        assert (first.status_code, again.status_code) == (202, 202)
        assert again.json()["id"] == first.json()["id"]
        assert again.headers["Idempotency-Replayed"] == "true"
        assert "Idempotency-Replayed" not in first.headers
        succeed(engine, first.json()["id"])
        finished = submit(client, Idempotency_Key="k")
        assert (finished.status_code, finished.json()["result"]["verdict"]) == (200, "signed")

    def test_same_key_other_content_or_options_is_refused(self, client: httpx.Client) -> None:
        submit(client, Idempotency_Key="k")
        content = submit(client, png(colour="black"), Idempotency_Key="k")
        options = client.post(
            "/v1/jobs?priority=bulk", content=png(), headers={"Content-Type": "image/png", "Idempotency-Key": "k"}
        )
        for answer in (content, options):
            assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")

    def test_a_repeated_request_is_the_same_when_the_default_model_has_changed(
        self, client: httpx.Client, narrow_client: httpx.Client
    ) -> None:
        first = submit(client, Idempotency_Key="k").json()
        again = submit(narrow_client, Idempotency_Key="k").json()
        assert (again["id"], again["model"]) == (first["id"], "signatures")
        assert submit(narrow_client, Idempotency_Key="another").json()["model"] == "initials"

    def test_other_clients_keys_do_not_meet(
        self, client: httpx.Client, gateway: GatewayProcess, make_key: MakeKey
    ) -> None:
        first = submit(client, Idempotency_Key="k").json()
        with gateway.client(make_key(Scope.SUBMIT, client="other")) as other:
            answer = submit(other, Idempotency_Key="k")
        assert answer.status_code == 202
        assert answer.json()["id"] != first["id"]

    def test_twenty_at_once_make_one_job_and_one_object(
        self, client: httpx.Client, engine: Engine, store: ObjectStore
    ) -> None:
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda _: submit(client, Idempotency_Key="race"), range(20)))
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
        name = object_name(engine, answers[0].json()["id"])
        folder = name.rsplit("/", 1)[0]
        assert [entry.object_name for entry in store._client.list_objects(store._bucket, folder, recursive=True)] == [
            name
        ]


class TestPrefer:
    def test_a_result_in_time_is_the_answer(self, client: httpx.Client, engine: Engine) -> None:
        with working(engine, after_s=0.5):
            answer = submit(client, Prefer="respond-async, wait=20")
        assert (answer.status_code, answer.headers["Preference-Applied"]) == (200, "wait=20")
        assert answer.json()["result"]["count"] == 1
        assert answer.elapsed.total_seconds() < 5

    def test_without_a_result_it_is_accepted_all_the_same(self, client: httpx.Client) -> None:
        answer = submit(client, Prefer="wait=1")
        assert (answer.status_code, answer.json()["status"]) == (202, "queued")
        assert answer.elapsed.total_seconds() >= 1

    @pytest.mark.parametrize("prefer", ["wait=soon", "return=minimal", "wait=", "await=9"])
    def test_what_is_not_understood_is_ignored(self, client: httpx.Client, prefer: str) -> None:
        answer = submit(client, Prefer=prefer)
        assert answer.status_code == 202
        assert "Preference-Applied" not in answer.headers


def test_a_full_backlog_refuses_new_jobs_but_not_known_ones(narrow_client: httpx.Client) -> None:
    time.sleep(1)  # the count of another test's jobs is forgotten
    assert [submit(narrow_client, Idempotency_Key=str(number)).status_code for number in range(2)] == [202, 202]
    refused = submit(narrow_client)
    assert (refused.status_code, refused.json()["code"]) == (503, "backlog_full")
    assert int(refused.headers["Retry-After"]) > 0
    assert submit(narrow_client, Idempotency_Key="1").status_code == 202


def test_the_request_id_travels_with_the_job(client: httpx.Client, engine: Engine, gateway: GatewayProcess) -> None:
    answer = submit(client, X_Request_ID="scan-42")
    insane = submit(client, X_Request_ID="a b\tc")
    with engine.connect() as connection:
        kept = connection.execute(select(jobs.c.request_id).where(jobs.c.id == answer.json()["id"])).scalar_one()
    assert answer.headers["X-Request-ID"] == kept == "scan-42"
    assert insane.headers["X-Request-ID"] not in ("", "a b\tc")
    line = next(line for line in map(json.loads, gateway.log.read_text().splitlines()) if line.get("job_id"))
    assert {"request_id", "job_id", "method", "path", "status", "milliseconds", "key"} <= set(line)
