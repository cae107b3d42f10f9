"""Bad requests: each has its own status and code, and leaves no row behind."""

import base64
import socket
import time
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import Engine, func, select

from shared.db.tables import jobs, outbox
from tests.integration.gateway.conftest import GatewayProcess, Key
from tests.integration.gateway.test_submit import ZONE
from tests.integration.gateway.workers import png


@pytest.fixture(autouse=True)
def _nothing_accepted(engine: Engine) -> Iterator[None]:
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
def test_bodies(client: httpx.Client, content: bytes, content_type: str, status: int, code: str) -> None:
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
        ({"document": "aaaa", "metadata": {"a": [{"\\\0": 1}]}}, "/metadata"),
        ({"document": "aaaa", "callback_url": "ftp://example.org"}, "/callback_url"),
        ({"document": "aaaa", "callback_url": "http://a b"}, "/callback_url"),
        ({"document": "aaaa", "callback_url": "https://example.org/" + "x" * 2000}, "/callback_url"),
        ({"document": "aaaa", "filename": "a\nb"}, "/filename"),
    ],
)
def test_json_that_is_not_ours(client: httpx.Client, body: dict[str, object], pointer: str) -> None:
    answer = client.post("/v1/jobs", json=body)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid_request"), problem
    assert problem["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("text", ["%%%%", "aaa", "é", "data:image/png;base64,aaaa"])
def test_wrong_base64(client: httpx.Client, text: str) -> None:
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
def test_forms_that_are_not_ours(client: httpx.Client, parts: dict[str, str], pointer: str) -> None:
    answer = client.post("/v1/jobs", files={"file": ("a.png", png())}, data=parts)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("text", ["True", "on", "1", ""])
def test_a_consent_that_is_neither_yes_nor_no(client: httpx.Client, text: str) -> None:
    answer = client.post("/v1/jobs", files={"file": ("a.png", png())}, data={"training_consent": text})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"] == [{"pointer": "/training_consent", "detail": "Say true or false."}]


def test_a_form_without_file_and_with_two(client: httpx.Client) -> None:
    none = client.post("/v1/jobs", files={"model": (None, "signatures")})
    two = client.post("/v1/jobs", files=[("file", ("a", png())), ("file", ("b", png()))])
    assert [answer.json()["errors"][0]["pointer"] for answer in (none, two)] == ["/file", "/file"]


def test_a_form_part_of_another_length_than_it_says(client: httpx.Client) -> None:
    file = ("a.png", png(), "image/png", {"Content-Length": "10"})
    answer = client.post("/v1/jobs", files={"file": file})
    assert (answer.status_code, answer.json()["code"]) == (400, "length_mismatch")


@pytest.mark.parametrize("name", ["colour", "wait"])
def test_query_parameters_nobody_knows(client: httpx.Client, name: str) -> None:
    answer = client.post("/v1/jobs", params={name: "1"}, content=png(), headers={"Content-Type": "image/png"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/query/{name}"


def test_options_in_the_query_of_a_form(client: httpx.Client) -> None:
    answer = client.post("/v1/jobs?priority=bulk", files={"file": ("a.png", png())})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/query/priority")


def test_an_unknown_model(client: httpx.Client) -> None:
    answer = client.post("/v1/jobs", json={"document": base64.b64encode(png()).decode(), "model": "stamps"})
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_model")
    assert "signatures" in answer.json()["detail"]


@pytest.mark.parametrize("used", ["", "ä", "x" * 256])
def test_bad_idempotency_keys(client: httpx.Client, used: str) -> None:
    answer = client.post(
        "/v1/jobs", content=png(), headers={b"Content-Type": b"image/png", b"Idempotency-Key": used.encode()}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_too_large_by_its_header_or_while_it_comes(narrow_client: httpx.Client) -> None:
    content = png() + bytes(1_000_000)
    kind = {"Content-Type": "image/png"}
    said = narrow_client.post("/v1/jobs", content=content, headers=kind)
    streamed = narrow_client.post("/v1/jobs", content=iter([content[:60_000], content[60_000:]]), headers=kind)
    form = narrow_client.post("/v1/jobs", files={"file": ("a.png", content)})
    inside_form = narrow_client.post("/v1/jobs", files={"file": ("a.png", content[:110_000])})
    as_json = narrow_client.post("/v1/jobs", json={"document": "a" * 2000})
    for answer in (said, streamed, form, inside_form, as_json):
        assert (answer.status_code, answer.json()["code"]) == (413, "document_too_large"), answer.text


def test_a_body_that_ends_too_early_is_dropped(gateway: GatewayProcess, key: Key) -> None:
    head = (
        f"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key.text}\r\n"
        "Content-Type: image/png\r\nContent-Length: 5000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", gateway.port)) as connection:
        connection.sendall(head.encode() + png()[:100])
    with gateway.client(key) as client:
        assert client.get("/v1/jobs").json()["jobs"] == []


def test_bytes_beyond_what_was_said_are_not_part_of_the_document(gateway: GatewayProcess, key: Key) -> None:
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
