"""The client asks again what may be asked again, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import paraphe.transport
from paraphe import Client
from paraphe.api_errors import ParapheApiError, ServerUnreachableError, WaitTimeoutError
from shared.domain.detection import Tone
from tests.unit.paraphe.conftest import Answer, ScriptedServer, job_body


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between tries, noted instead of waited."""
    noted: list[float] = []
    monkeypatch.setattr(paraphe.transport.time, "sleep", noted.append)
    return noted


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


def test_no_server_is_said_after_all_tries(server: ScriptedServer, pauses: list[float]) -> None:
    url = server.url
    server.stop()
    with Client(url, retries=2) as client, pytest.raises(ServerUnreachableError, match=url):
        client.job("x")
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


def _event(sequence: int, kind: str) -> bytes:
    data = (
        f'{{"id": "e{sequence}", "kind": "{kind}", "job_id": "j", "occurred_at": "2026-01-02T03:04:05Z", "data": {{}}}}'
    )
    return f"id: {sequence}\nevent: {kind}\ndata: {data}\n\n".encode()


def test_events_go_on_where_a_broken_stream_left_off(client: Client, server: ScriptedServer) -> None:
    kinds = ["job.queued", "job.started", "job.succeeded"]
    unfinished = b"id: 3\nevent: job.succ"
    server.will_answer(
        Answer(200, _event(1, kinds[0]) + b": keep-alive\n\n" + _event(2, kinds[1]) + unfinished),
        Answer(0),
        Answer(200, _event(3, kinds[2])),
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
    server.will_answer(Answer(200, b"".join(_event(number, kind) for number, kind in enumerate(kinds, 1))))
    assert [event.kind for event in client.events("j")] == kinds
    assert len(server.asked) == 1


def test_events_do_not_end_with_the_outcome_before_a_replay(client: Client, server: ScriptedServer) -> None:
    failed_and_replayed = [_event(1, "job.queued"), _event(2, "job.failed"), _event(3, "job.replayed")]
    server.will_answer(Answer(200, b"".join(failed_and_replayed)), Answer(200, _event(4, "job.succeeded")))
    assert [event.sequence for event in client.events("j")] == [1, 2, 3, 4]


def test_events_end_when_the_server_says_that_nothing_follows(client: Client, server: ScriptedServer) -> None:
    """All events were received, but not that the stream ended with them."""
    everything = _event(1, "job.queued") + _event(2, "job.succeeded") + _event(3, "job.corrected")
    server.will_answer(Answer(200, everything, is_cut_off=True), Answer(204, b""))
    assert [event.sequence for event in client.events("j")] == [1, 2, 3]
    assert [one.headers.get("Last-Event-ID") for one in server.asked] == [None, "3"]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_events_are_asked_for_again_where_the_server_refuses_for_now(
    client: Client, server: ScriptedServer, pauses: list[float], status: int
) -> None:
    server.will_answer(
        Answer(status, {"code": "later"}, {"Retry-After": "7"}),
        Answer(200, _event(1, "job.queued")),
        Answer(status, {"code": "later"}),
        Answer(200, _event(2, "job.canceled")),
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


def test_events_of_an_unknown_job_are_an_error_at_once(client: Client, server: ScriptedServer) -> None:
    server.will_answer(Answer(404, {"code": "not_found", "detail": "No such job."}))
    with pytest.raises(ParapheApiError, match="not_found"):
        list(client.events("j"))
    assert len(server.asked) == 1
