"""A document becomes a job, whichever way it comes in."""

import base64
import hashlib
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import redis
from sqlalchemy import Engine, func, select

from shared.db.keys import Scope
from shared.db.tables import documents, jobs, outbox
from shared.domain.job import Priority
from shared.objects import ObjectStore
from shared.queue import DETECT_QUEUE, EVENT_QUEUE, PRIORITY_STEPS, queue_lists
from tests.integration.gateway.conftest import GatewayProcess, Key, MakeKey
from tests.integration.gateway.workers import png, succeed, working
from tests.servers import Servers

ZONE = {"page": -1, "box": [0, 0.6, 1, 1], "min": 1}
OPTIONS = {
    "priority": "bulk",
    "requirements": {"min_signatures": 2, "zones": [ZONE]},
    "metadata": {"case": "2024-117", "nested": {"ä": [1, 2.5, None]}},
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


def test_an_upload_of_its_own_then_a_job(client: httpx.Client, engine: Engine, store: ObjectStore) -> None:
    upload = client.post("/v1/uploads", json={"filename": "large.png"}).json()
    body = {"upload_id": upload["id"]}
    early = client.post("/v1/jobs", json=body)
    assert (early.status_code, early.json()["code"]) == (409, "upload_missing")

    assert httpx.request(upload["method"], upload["url"], content=png()).status_code == 200
    answer = client.post("/v1/jobs", json=body, headers={"Idempotency-Key": "u"})
    job = answer.json()
    assert answer.status_code == 202, job
    assert job["document"]["sha256"] == hashlib.sha256(png()).hexdigest()
    assert job["document"]["filename"] == "large.png"
    assert store.size(object_name(engine, job["id"])) == len(png())
    assert client.post("/v1/jobs", json=body, headers={"Idempotency-Key": "u"}).json()["id"] == job["id"]


def test_uploads_of_others_and_bad_uploads_are_refused(
    client: httpx.Client, gateway: GatewayProcess, make_key: MakeKey
) -> None:
    upload = client.post("/v1/uploads", json={}).json()
    httpx.put(upload["url"], content=b"no document")
    assert client.post("/v1/jobs", json={"upload_id": upload["id"]}).json()["code"] == "unsupported_type"
    with gateway.client(make_key(Scope.SUBMIT, client="other")) as other:
        answer = other.post("/v1/jobs", json={"upload_id": upload["id"]})
    assert (answer.status_code, answer.json()["code"]) == (404, "upload_missing")


def test_a_large_file_is_spooled_and_stored_whole(client: httpx.Client, engine: Engine, store: ObjectStore) -> None:
    content = png() + bytes(24 * 1024 * 1024)
    job = client.post("/v1/jobs", files={"file": ("big.png", content)}).json()
    assert job["document"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert store.size(object_name(engine, job["id"])) == len(content)


class TestBadInputs:
    """Each has its own status and code, and leaves no row behind."""

    @pytest.fixture(autouse=True)
    def _nothing_accepted(self, engine: Engine) -> Iterator[None]:
        yield
        with engine.connect() as connection:
            assert connection.execute(select(func.count()).select_from(jobs)).scalar_one() == 0
            assert connection.execute(select(func.count()).select_from(outbox)).scalar_one() == 0

    @pytest.mark.parametrize(
        ("content", "content_type", "status", "code"),
        [
            (b"", "image/png", 422, "empty_document"),
            (b"plain text", "application/octet-stream", 415, "unsupported_type"),
            (b"GIF89a\x01\x00\x01\x00", "image/gif", 415, "unsupported_type"),
            (b"%PDF-1.7 ...", "image/png", 415, "wrong_content_type"),
            (png(), "text/plain", 415, "wrong_content_type"),
            (png(), "", 415, "wrong_content_type"),
            (b"{", "application/json", 400, "invalid_json"),
            (b"\xff\xfe", "application/json", 400, "invalid_json"),
            (b"[" * 100_000, "application/json", 400, "invalid_json"),
            (b'{"metadata": {"a": NaN}, "document": "aaaa"}', "application/json", 400, "invalid_json"),
            (b'{"document": "aaaa", "filename": "\\ud800"}', "application/json", 400, "invalid_json"),
            (b"[]", "application/json", 422, "invalid_request"),
            (b"x", "multipart/form-data", 422, "invalid_request"),
            (b"no form", "multipart/form-data; boundary=b", 422, "invalid_request"),
            (
                b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nabc',
                "multipart/form-data; boundary=b",
                400,
                "length_mismatch",
            ),
        ],
    )
    def test_bodies(self, client: httpx.Client, content: bytes, content_type: str, status: int, code: str) -> None:
        answer = client.post("/v1/jobs", content=content, headers={"Content-Type": content_type})
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["request_id"] == answer.headers["X-Request-ID"]

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({}, ""),
            ({"document": "aaaa", "upload_id": str(uuid4())}, ""),
            ({"document": "aaaa", "colour": 1}, "/colour"),
            ({"document": "aaaa", "priority": "now"}, "/priority"),
            ({"document": "aaaa", "model": "../x"}, "/model"),
            ({"document": "aaaa", "requirements": {"min": 1}}, "/requirements/min"),
            ({"document": "aaaa", "requirements": {"min_signatures": "2"}}, "/requirements/min_signatures"),
            ({"document": "aaaa", "requirements": {"zones": [{**ZONE, "page": 0}]}}, "/requirements/zones/0"),
            ({"document": "aaaa", "requirements": {"zones": [{**ZONE, "box": [1, 0, 0, 1]}]}}, "/requirements/zones/0"),
            (
                {"document": "aaaa", "requirements": {"zones": [{**ZONE, "box": [0, 0, 2, 1]}]}},
                "/requirements/zones/0/box/2",
            ),
            ({"document": "aaaa", "metadata": []}, "/metadata"),
            ({"document": "aaaa", "metadata": {"a": "x" * 4096}}, "/metadata"),
            ({"document": "aaaa", "metadata": {"a": "\0"}}, "/metadata"),
            ({"document": "aaaa", "callback_url": "ftp://example.org"}, "/callback_url"),
            ({"document": "aaaa", "callback_url": "http://a b"}, "/callback_url"),
            ({"document": "aaaa", "callback_url": "https://example.org/" + "x" * 2000}, "/callback_url"),
            ({"document": "aaaa", "filename": "a\nb"}, "/filename"),
        ],
    )
    def test_json_that_is_not_ours(self, client: httpx.Client, body: dict[str, object], pointer: str) -> None:
        answer = client.post("/v1/jobs", json=body)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (422, "invalid_request"), problem
        assert problem["errors"][0]["pointer"] == pointer

    @pytest.mark.parametrize("text", ["%%%%", "aaa", "é", "data:image/png;base64,aaaa"])
    def test_wrong_base64(self, client: httpx.Client, text: str) -> None:
        answer = client.post("/v1/jobs", json={"document": text})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_base64")

    @pytest.mark.parametrize(
        ("parts", "pointer"),
        [
            ({"colour": "red"}, "/colour"),
            ({"metadata": "{"}, "/metadata"),
            ({"metadata": "[1]"}, "/metadata"),
            ({"requirements": '{"zones": [{"page": 1}]}'}, "/requirements/zones/0/box"),
            ({"metadata": '{"a": "' + "x" * 70_000 + '"}'}, "/metadata"),
        ],
    )
    def test_forms_that_are_not_ours(self, client: httpx.Client, parts: dict[str, str], pointer: str) -> None:
        answer = client.post("/v1/jobs", files={"file": ("a.png", png())}, data=parts)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["pointer"] == pointer

    def test_a_form_without_file_and_with_two(self, client: httpx.Client) -> None:
        none = client.post("/v1/jobs", files={"model": (None, "signatures")})
        two = client.post("/v1/jobs", files=[("file", ("a", png())), ("file", ("b", png()))])
        assert [answer.json()["errors"][0]["pointer"] for answer in (none, two)] == ["/file", "/file"]

    def test_a_form_part_of_another_length_than_it_says(self, client: httpx.Client) -> None:
        file = ("a.png", png(), "image/png", {"Content-Length": "10"})
        answer = client.post("/v1/jobs", files={"file": file})
        assert (answer.status_code, answer.json()["code"]) == (400, "length_mismatch")

    @pytest.mark.parametrize("name", ["colour", "wait"])
    def test_query_parameters_nobody_knows(self, client: httpx.Client, name: str) -> None:
        answer = client.post("/v1/jobs", params={name: "1"}, content=png(), headers={"Content-Type": "image/png"})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == f"/query/{name}"

    def test_options_in_the_query_of_a_form(self, client: httpx.Client) -> None:
        answer = client.post("/v1/jobs?priority=bulk", files={"file": ("a.png", png())})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/query/priority")

    def test_an_unknown_model(self, client: httpx.Client) -> None:
        answer = client.post("/v1/jobs", json={"document": base64.b64encode(png()).decode(), "model": "stamps"})
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_model")
        assert "signatures" in answer.json()["detail"]

    @pytest.mark.parametrize("used", ["", "ä", "x" * 256])
    def test_bad_idempotency_keys(self, client: httpx.Client, used: str) -> None:
        answer = client.post(
            "/v1/jobs", content=png(), headers={"Content-Type": "image/png", "Idempotency-Key": used.encode()}
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")

    def test_too_large_by_its_header_or_while_it_comes(self, narrow_client: httpx.Client) -> None:
        content = png() + bytes(1_000_000)
        kind = {"Content-Type": "image/png"}
        said = narrow_client.post("/v1/jobs", content=content, headers=kind)
        streamed = narrow_client.post("/v1/jobs", content=iter([content[:60_000], content[60_000:]]), headers=kind)
        form = narrow_client.post("/v1/jobs", files={"file": ("a.png", content)})
        inside_form = narrow_client.post("/v1/jobs", files={"file": ("a.png", content[:110_000])})
        as_json = narrow_client.post("/v1/jobs", json={"document": "a" * 2000})
        for answer in (said, streamed, form, inside_form, as_json):
            assert (answer.status_code, answer.json()["code"]) == (413, "document_too_large"), answer.text

    def test_a_body_that_ends_too_early_is_dropped(self, gateway: GatewayProcess, key: Key) -> None:
        head = (
            f"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key.text}\r\n"
            "Content-Type: image/png\r\nContent-Length: 5000\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", gateway.port)) as connection:
            connection.sendall(head.encode() + png()[:100])
        with gateway.client(key) as client:
            assert client.get("/v1/jobs").json()["jobs"] == []

    def test_bytes_beyond_what_was_said_are_not_part_of_the_document(self, gateway: GatewayProcess, key: Key) -> None:
        head = (
            f"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key.text}\r\n"
            "Content-Type: image/png\r\nContent-Length: 0\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as connection:
            connection.sendall(head.encode())
            time.sleep(0.3)
            connection.sendall(b"surplus bytes\r\n\r\n")
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
        assert received.startswith(b"HTTP/1.1 422")
        assert b"HTTP/1.1 400" in received
        assert b'"code": "length_mismatch"' in received


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
