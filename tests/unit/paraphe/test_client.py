"""The client asks again what may be asked again, and nothing else."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from paraphe import Client
from paraphe.api_errors import (
    ForeignAnswerError,
    ParapheApiError,
    ParapheClientError,
    ServerUnreachableError,
    WaitTimeoutError,
)
from shared.domain.detection import Tone
from tests.unit.paraphe.conftest import Answer, Clock, ScriptedServer, job_body


@pytest.fixture
def client(server: ScriptedServer, pauses: list[float]) -> Iterator[Client]:
    with Client(server.url, "pk_secret", retries=3) as client:
        yield client


def test_a_submission_is_repeated_with_the_same_key_and_the_whole_file(
    client: Client, server: ScriptedServer, tmp_path: Path
) -> None:
    document = tmp_path / "contract.pdf"
    document.write_bytes(b"%PDF-content")
    server.will_answer(Answer(0), Answer(502), Answer(202, job_body("queued")))
    job = client.submit(document, requirements={"min_signatures": 2}, metadata={"case": "7"})
    assert (job.status, len(server.asked)) == ("queued", 3)
    assert len({one.headers["Idempotency-Key"] for one in server.asked}) == 1
    for one in server.asked:
        assert b"%PDF-content" in one.body
        assert b'filename="contract.pdf"' in one.body
        assert b'{"min_signatures": 2}' in one.body
        assert one.headers["Authorization"] == "Bearer pk_secret"


def test_each_submission_has_its_own_idempotency_key(client: Client, server: ScriptedServer) -> None:
    server.will_answer(Answer(202, job_body("queued")), Answer(202, job_body("queued")))
    client.submit(b"x")
    client.submit(b"x")
    assert len({one.headers["Idempotency-Key"] for one in server.asked}) == 2


@pytest.mark.parametrize("status", [429, 503])
def test_a_refusal_for_now_is_waited_out_as_long_as_the_server_says(
    client: Client, server: ScriptedServer, pauses: list[float], status: int
) -> None:
    server.will_answer(Answer(status, {"code": "later"}, {"Retry-After": "7"}), Answer(202, job_body("queued")))
    client.submit(b"x")
    assert pauses == [7.0]


def test_without_a_hint_pauses_grow(client: Client, server: ScriptedServer, pauses: list[float]) -> None:
    server.will_answer(*[Answer(504)] * 4)
    with pytest.raises(ParapheApiError):
        client.job("x")
    assert len(pauses) == 3
    assert pauses[0] < pauses[1] < pauses[2]


@pytest.mark.parametrize("fault", [Answer(0), Answer(502)])
def test_what_may_have_happened_already_is_not_asked_again(
    client: Client, server: ScriptedServer, fault: Answer
) -> None:
    server.will_answer(fault)
    with pytest.raises((ServerUnreachableError, ParapheApiError)):
        client.create_key("mine", ["read"])
    assert len(server.asked) == 1


def test_a_refusal_says_code_detail_and_field(client: Client, server: ScriptedServer) -> None:
    problem = {
        "code": "invalid_request",
        "detail": "Unknown field.",
        "errors": [{"pointer": "/colour", "detail": "not allowed"}],
        "request_id": "r1",
    }
    server.will_answer(Answer(422, problem))
    with pytest.raises(ParapheApiError) as caught:
        client.submit(b"x")
    error = caught.value
    assert (error.status, error.code, error.detail, error.request_id) == (
        422,
        "invalid_request",
        "Unknown field.",
        "r1",
    )
    assert "/colour: not allowed" in str(error)
    assert len(server.asked) == 1


def test_an_answer_that_is_not_ours_is_still_an_error_with_a_code(client: Client, server: ScriptedServer) -> None:
    server.will_answer(Answer(404, b"<html>nginx</html>"))
    with pytest.raises(ParapheApiError, match=r"http_404 \(404\): <html>nginx") as caught:
        client.job("x")
    assert caught.value.code == "http_404"


HTML = Answer(200, b"<html>Welcome</html>", {"Content-Type": "text/html; charset=utf-8"})
NOT_OURS = [
    HTML,
    Answer(200, {"ok": True}),
    Answer(200, []),
    Answer(200, None),
    Answer(200, job_body(status="pending")),
    Answer(200, b"no gzip", {"Content-Encoding": "gzip"}),
    Answer(204, b""),
]


@pytest.mark.parametrize("answer", NOT_OURS)
@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.job("x"),
        lambda client: client.submit(b"x"),
        lambda client: client.upload(__file__),
        lambda client: list(client.jobs()),
        lambda client: client.list_keys(),
        lambda client: client.rotate_webhook_secret(),
        lambda client: client.page_image("x", 1),
    ],
)
def test_what_is_not_paraphe_is_named_as_such(
    client: Client, server: ScriptedServer, ask: Callable[[Client], object], answer: Answer
) -> None:
    server.will_answer(answer)
    with pytest.raises(
        ForeignAnswerError, match=f"{server.url} answered, but not as Paraphe does .* update this client"
    ):
        ask(client)
    assert len(server.asked) == 1


def test_what_is_not_paraphe_is_told_by_its_kind(client: Client, server: ScriptedServer) -> None:
    server.will_answer(HTML, HTML, HTML)
    for ask in (client.job, client.erase, lambda job_id: list(client.events(job_id))):
        with pytest.raises(ForeignAnswerError, match=r"\(status 200, text/html; charset=utf-8\)"):
            ask("x")


def test_where_a_server_sends_on_to_is_said(client: Client, server: ScriptedServer) -> None:
    server.will_answer(Answer(301, b"", {"Location": "https://paraphe.example/v1/jobs/x"}))
    with pytest.raises(ParapheApiError, match=r"http_301 .* https://paraphe\.example/v1/jobs/x"):
        client.job("x")


@pytest.mark.parametrize("errors", ["none", 7, ["bad"], {"file": ["bad"]}])
def test_whatever_else_a_refusal_calls_errors_is_passed_over(
    client: Client, server: ScriptedServer, errors: object
) -> None:
    server.will_answer(Answer(422, {"code": "strange", "errors": errors}))
    with pytest.raises(ParapheApiError, match="strange") as caught:
        client.job("x")
    assert list(caught.value.errors) == []


@pytest.mark.parametrize(
    "address", ["http://[::1", "localhost:8000", "ftp://host", "http://", "http://host:70000", "http://xn--a.b"]
)
def test_an_address_that_is_none_is_said(address: str) -> None:
    with pytest.raises(ParapheClientError, match="is no address of a server"):
        Client(address)


def test_an_address_may_be_pasted_with_blanks_around(server: ScriptedServer) -> None:
    server.will_answer(Answer(200, job_body()))
    with Client(f" {server.url}/ \n") as client:
        client.job("x")
    assert (client.base_url, server.asked[0].path) == (server.url, "/v1/jobs/x")


@pytest.mark.parametrize("key", ["schlüssel", "pk_a\nb"])
def test_a_key_that_can_be_none_is_said_but_not_repeated(key: str) -> None:
    with pytest.raises(ParapheClientError, match="The API key has characters") as caught:
        Client("http://127.0.0.1:9", key)
    assert key not in str(caught.value)


def test_an_id_leads_nowhere_but_to_its_own_thing(client: Client, server: ScriptedServer) -> None:
    server.always = {"DELETE": Answer(204, b""), "GET": Answer(404, {"code": "not_found"})}
    for odd in ("../keys", "..", "x?y#z", "a/b"):
        client.erase(odd)
        client.revoke_key(odd)
        with pytest.raises(ParapheApiError):
            client.job(odd)
        with pytest.raises(ParapheApiError):
            list(client.events(odd))
    steps = ("%2E%2E%2Fkeys", "%2E%2E", "x%3Fy%23z", "a%2Fb")
    paths = ("/v1/jobs/{}", "/v1/keys/{}", "/v1/jobs/{}", "/v1/jobs/{}/events")
    assert [one.path for one in server.asked] == [path.format(step) for step in steps for path in paths]


def test_no_server_is_said_after_all_tries(server: ScriptedServer, pauses: list[float]) -> None:
    url = server.url
    server.stop()
    with Client(url, retries=2) as client, pytest.raises(ServerUnreachableError, match=url):
        client.job("x")
    assert len(pauses) == 2


def test_who_waits_for_a_server_is_told_why_before_each_further_try(
    server: ScriptedServer, pauses: list[float]
) -> None:
    told: list[tuple[str, int]] = []
    with Client(server.url, on_unreachable=lambda error: told.append((str(error), len(pauses)))) as client:
        server.will_answer(Answer(0), Answer(0), Answer(200, job_body()))
        client.job("x")
        server.will_answer(Answer(0), _stream(_event(1, "job.failed")))
        list(client.events("x"))
    assert [tries for _, tries in told] == [0, 1, 2]
    for error, _ in told:
        assert error.startswith(f"{server.url} cannot be reached: ")


def test_what_was_never_there_is_not_waited_for_as_long_as_what_went_away(
    server: ScriptedServer, pauses: list[float]
) -> None:
    with Client(server.url, retries=5, first_retries=1) as client:
        server.will_answer(Answer(200, job_body(), {"Connection": "close"}))
        client.job("x")
        server.stop()
        with pytest.raises(ServerUnreachableError):
            client.job("x")
    assert len(pauses) == 5
    pauses.clear()
    with Client(server.url, retries=5, first_retries=1) as client:
        for ask in (client.job, lambda job_id: list(client.events(job_id))):
            with pytest.raises(ServerUnreachableError):
                ask("x")
    assert len(pauses) == 2


def test_wait_polls_until_the_outcome(client: Client, server: ScriptedServer) -> None:
    server.will_answer(Answer(200, job_body("queued")), Answer(200, job_body("processing")), Answer(200, job_body()))
    job = client.wait("abc")
    assert job.result is not None
    assert (job.result.verdict, job.result.count, job.result.confidence, job.seconds) == ("signed", 1, 0.93, 0.5)
    box = job.result.pages[0].detections[0].box
    assert (box.x, box.y, box.width, box.height) == (80, 700, 160, 50)
    assert (job.result.tone, job.result.pages[0].tone) == (Tone.GREY, Tone.GREY)
    assert {one.path for one in server.asked} == {"/v1/jobs/abc?wait=30"}


def test_wait_does_not_ask_about_a_job_that_has_its_outcome(client: Client, server: ScriptedServer) -> None:
    server.will_answer(Answer(200, job_body()))
    job = client.submit(b"x", wait_s=10)
    assert client.wait(job) is job
    assert server.asked[0].headers["Prefer"] == "wait=10"
    assert len(server.asked) == 1


@pytest.mark.parametrize(("wait_s", "asked"), [(2.5, "wait=3"), (0.1, "wait=1"), (60, "wait=60"), (1e6, "wait=60")])
def test_a_submission_asks_to_wait_for_whole_seconds_that_the_server_reads(
    client: Client, server: ScriptedServer, wait_s: float, asked: str
) -> None:
    server.will_answer(Answer(202, job_body("queued")))
    client.submit(b"x", wait_s=wait_s)
    assert server.asked[0].headers["Prefer"] == asked


def test_wait_ends_at_its_time_limit(client: Client, server: ScriptedServer) -> None:
    server.will_answer(*[Answer(200, job_body("processing"))] * 3)
    with pytest.raises(WaitTimeoutError, match="still processing"):
        client.wait("abc", timeout_s=0)


def test_jobs_reads_page_after_page_and_only_as_far_as_needed(client: Client, server: ScriptedServer) -> None:
    server.will_answer(
        Answer(200, {"jobs": [job_body(id="1"), job_body(id="2")], "next_cursor": "c2"}),
        Answer(200, {"jobs": [job_body(id="3", result={"verdict": "review", "count": 0})], "next_cursor": None}),
    )
    found = client.jobs(status=["succeeded", "failed"], tone=["grey"], metadata=["case:7"], page_size=2)
    assert next(found).id == "1"
    assert len(server.asked) == 1
    rest = list(found)
    assert [job.id for job in rest] == ["2", "3"]
    assert rest[1].result is not None
    assert rest[1].result.pages == ()
    assert (
        server.asked[1].path == "/v1/jobs?limit=2&status=succeeded&status=failed&tone=grey&metadata=case%3A7&cursor=c2"
    )


def test_a_large_file_goes_to_the_store_without_our_key(client: Client, server: ScriptedServer, tmp_path: Path) -> None:
    document = tmp_path / "big.pdf"
    document.write_bytes(b"x" * 100_000)
    ticket = {"id": "u1", "url": f"{server.url}/bucket/u1?signature=s", "method": "PUT", "expires_at": "…"}
    server.will_answer(Answer(201, ticket), Answer(200), Answer(202, job_body("queued")))
    client.submit_uploaded(client.upload(document), priority="bulk")
    put, post = server.asked[1:]
    assert (put.method, len(put.body)) == ("PUT", 100_000)
    assert "Authorization" not in put.headers
    assert b'"upload_id":"u1"' in post.body.replace(b" ", b"")


def test_a_large_file_is_sent_again_whole_when_the_store_was_away(
    client: Client, server: ScriptedServer, tmp_path: Path
) -> None:
    document = tmp_path / "big.pdf"
    document.write_bytes(b"x" * 100_000)
    ticket = {"id": "u1", "url": f"{server.url}/bucket/u1?signature=s"}
    server.will_answer(Answer(201, ticket), Answer(0), Answer(503), Answer(200))
    assert client.upload(document) == "u1"
    assert [len(one.body) for one in server.asked[1:]] == [100_000] * 3


def test_a_store_that_stays_away_is_named_without_the_address_s_signature(
    client: Client, server: ScriptedServer, pauses: list[float]
) -> None:
    server.will_answer(Answer(201, {"id": "u1", "url": "http://127.0.0.1:9/bucket/u1?signature=s"}))
    with pytest.raises(ServerUnreachableError, match=r"^http://127.0.0.1:9/bucket/u1 cannot be reached"):
        client.upload(__file__)
    assert len(pauses) == 3


@pytest.mark.parametrize("name", [b"caf\xe9.png", b"plain.png"])
def test_a_file_s_name_may_be_any_bytes(client: Client, server: ScriptedServer, tmp_path: Path, name: bytes) -> None:
    document = tmp_path / os.fsdecode(name)
    document.write_bytes(b"x")
    server.will_answer(Answer(202, job_body("queued")), Answer(201, {"id": "u1", "url": server.url}), Answer(200))
    client.submit(document)
    client.upload(document)
    shown = name.replace(b"\xe9", b"?")
    assert b'filename="' + shown + b'"' in server.asked[0].body
    assert shown in server.asked[1].body


def test_what_comes_through_a_pipe_is_sent_whole_and_again(
    client: Client, server: ScriptedServer, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    Thread(target=pipe.write_bytes, args=(b"content",), daemon=True).start()
    server.will_answer(Answer(502), Answer(202, job_body("queued")))
    client.submit(pipe)
    assert [b"content" in one.body for one in server.asked] == [True, True]


def _event(sequence: int, kind: str) -> bytes:
    data = (
        f'{{"id": "e{sequence}", "kind": "{kind}", "job_id": "j", "occurred_at": "2026-01-02T03:04:05Z", "data": {{}}}}'
    )
    return f"id: {sequence}\nevent: {kind}\ndata: {data}\n\n".encode()


def _stream(body: bytes, *, is_cut_off: bool = False) -> Answer:
    return Answer(200, body, {"Content-Type": "text/event-stream; charset=utf-8"}, is_cut_off)


def test_events_go_on_where_a_broken_stream_left_off(client: Client, server: ScriptedServer) -> None:
    kinds = ["job.queued", "job.started", "job.succeeded"]
    unfinished = b"id: 3\nevent: job.succ"
    server.will_answer(
        _stream(_event(1, kinds[0]) + b": keep-alive\n\n" + _event(2, kinds[1]) + unfinished),
        Answer(0),
        _stream(_event(3, kinds[2])),
    )
    events = list(client.events("j"))
    assert [(event.sequence, event.kind) for event in events] == [(1, kinds[0]), (2, kinds[1]), (3, kinds[2])]
    assert [one.headers.get("Last-Event-ID") for one in server.asked] == [None, "2", "2"]


@pytest.mark.parametrize(
    "kinds",
    [
        ["job.queued", "job.started", "job.succeeded", "job.corrected"],
        ["job.queued", "job.failed", "job.replayed", "job.succeeded", "job.corrected", "job.corrected"],
        ["job.queued", "job.started", "job.erased"],
        ["job.queued", "job.started", "job.succeeded", "job.corrected", "job.erased"],
    ],
)
def test_events_end_with_what_people_did_after_the_outcome(
    client: Client, server: ScriptedServer, kinds: list[str]
) -> None:
    server.will_answer(_stream(b"".join(_event(number, kind) for number, kind in enumerate(kinds, 1))))
    assert [event.kind for event in client.events("j")] == kinds
    assert len(server.asked) == 1


def test_events_do_not_end_with_the_outcome_before_a_replay(client: Client, server: ScriptedServer) -> None:
    failed_and_replayed = [_event(1, "job.queued"), _event(2, "job.failed"), _event(3, "job.replayed")]
    server.will_answer(_stream(b"".join(failed_and_replayed)), _stream(_event(4, "job.succeeded")))
    assert [event.sequence for event in client.events("j")] == [1, 2, 3, 4]


def test_events_end_when_the_server_says_that_nothing_follows(client: Client, server: ScriptedServer) -> None:
    """All events were received, but not that the stream ended with them."""
    everything = _event(1, "job.queued") + _event(2, "job.succeeded") + _event(3, "job.corrected")
    server.will_answer(_stream(everything, is_cut_off=True), Answer(204, b""))
    assert [event.sequence for event in client.events("j")] == [1, 2, 3]
    assert [one.headers.get("Last-Event-ID") for one in server.asked] == [None, "3"]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_events_are_asked_for_again_where_the_server_refuses_for_now(
    client: Client, server: ScriptedServer, pauses: list[float], status: int
) -> None:
    server.will_answer(
        Answer(status, {"code": "later"}, {"Retry-After": "7"}),
        _stream(_event(1, "job.queued")),
        Answer(status, {"code": "later"}),
        _stream(_event(2, "job.canceled")),
    )
    assert [event.sequence for event in client.events("j")] == [1, 2]
    asked_for, *others = pauses
    assert asked_for == 7.0
    assert len(others) == 2
    assert max(others) < 1


def test_events_are_asked_for_after_growing_pauses_until_the_refusal_is_told(
    client: Client, server: ScriptedServer, pauses: list[float]
) -> None:
    server.always["GET"] = Answer(503, {"code": "database_unavailable"})
    with pytest.raises(ParapheApiError, match="database_unavailable"):
        list(client.events("j"))
    assert len(server.asked) == len(pauses) + 1
    assert pauses[:5] == sorted(pauses[:5])


def test_events_of_a_job_that_waits_long_survive_any_number_of_cut_streams(
    client: Client, server: ScriptedServer, clock: Clock
) -> None:
    clock.look_s = 30.0
    server.will_answer(*[_stream(b": keep-alive\n\n")] * 40, _stream(_event(1, "job.queued") + _event(2, "job.failed")))
    assert [event.sequence for event in client.events("j")] == [1, 2]


def test_events_are_given_up_once_nothing_was_heard_for_ten_minutes(
    client: Client, server: ScriptedServer, pauses: list[float]
) -> None:
    """A stream that ends as soon as it begins says nothing."""
    server.always["GET"] = _stream(b"")
    with pytest.raises(ServerUnreachableError, match="ended without an outcome"):
        list(client.events("j"))
    assert 600 <= sum(pauses) < 640


def test_events_that_are_given_up_say_why_nothing_was_heard(server: ScriptedServer, pauses: list[float]) -> None:
    server.stop()
    with Client(server.url) as client, pytest.raises(ServerUnreachableError, match="Connection refused"):
        list(client.events("j"))
    assert 600 <= sum(pauses) < 640


def test_events_that_cannot_be_decoded_are_asked_for_once(client: Client, server: ScriptedServer) -> None:
    headers = {"Content-Type": "text/event-stream", "Content-Encoding": "gzip"}
    server.always["GET"] = Answer(200, b"no gzip", headers)
    with pytest.raises(ForeignAnswerError, match="decompressing"):
        list(client.events("j"))
    assert len(server.asked) == 1


def test_events_of_an_unknown_job_are_an_error_at_once(client: Client, server: ScriptedServer) -> None:
    server.will_answer(Answer(404, {"code": "not_found", "detail": "No such job."}))
    with pytest.raises(ParapheApiError, match="not_found"):
        list(client.events("j"))
    assert len(server.asked) == 1
