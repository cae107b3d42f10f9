"""What a person types, against a server that answers as told."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from paraphe.cli.main import app
from tests import as_in_image
from tests.unit.paraphe.conftest import Answer, ScriptedServer, job_body

PICTURE = Answer(200, b"PNG", {"Content-Type": "image/png"})
FAILED = job_body("failed", error={"code": "corrupt_document", "detail": "It is not a PDF."})


@pytest.fixture
def documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two files in an otherwise empty working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    files = [Path("one.png"), Path("two.pdf")]
    for file in files:
        file.write_bytes(b"content")
    return files


def _run(*args: object) -> Result:
    return CliRunner().invoke(app, [str(arg) for arg in args])


def test_submit_and_wait_shows_a_table_and_succeeds(server: ScriptedServer, documents: list[Path]) -> None:
    server.will_answer(Answer(202, job_body()))
    done = _run("submit", documents[0], "--wait", "--min-signatures", 2, "--url", server.url, "--key", "pk")
    assert done.exit_code == 0, done.output
    row = next(line for line in done.output.splitlines() if "one.png" in line)
    assert row.split() == ["one.png", "1", "1", "signed", "0.93", "0.50", "s"]
    assert b'{"min_signatures": 2}' in server.asked[0].body


def test_one_failed_and_one_refused_document_cost_no_other_and_say_three(
    server: ScriptedServer, documents: list[Path]
) -> None:
    documents.append(Path("empty.png"))
    documents[-1].write_bytes(b"")
    refusal = Answer(422, {"code": "empty_document", "detail": "The document has no bytes."})
    server.will_answer(Answer(202, job_body()), Answer(202, FAILED), refusal)
    done = _run("submit", *documents, "--wait", "--url", server.url, "--key", "pk")
    assert done.exit_code == 3, done.output
    for expected in ("signed", "corrupt_document", "empty_document"):
        assert expected in done.output


def test_json_names_each_file_with_its_job_or_error(server: ScriptedServer, documents: list[Path]) -> None:
    server.will_answer(Answer(422, {"code": "unsupported_type", "detail": "None of our types."}))
    done = _run("submit", documents[0], "--json", "--url", server.url, "--key", "pk")
    assert done.exit_code == 3
    error = {"code": "unsupported_type", "detail": "None of our types."}
    assert json.loads(done.stdout) == [{"file": "one.png", "error": error}]


def test_a_refusal_names_the_fields_at_fault(server: ScriptedServer, documents: list[Path]) -> None:
    errors = [{"pointer": "/requirements/min_signatures", "detail": "At most 1000."}]
    detail = "The request is not acceptable; see errors."
    problem = {"code": "invalid_request", "detail": detail, "errors": errors, "request_id": "r1"}
    server.will_answer(Answer(422, problem), Answer(422, problem))
    at = ("--url", server.url, "--key", "pk")
    said = _run("submit", documents[0], *at).output
    assert detail in said
    assert "/requirements/min_signatures: At most 1000." in said
    (told,) = json.loads(_run("submit", documents[0], "--json", *at).stdout)
    assert told["error"] == problem


def test_a_file_that_cannot_be_read_or_has_an_odd_name_costs_no_other(
    server: ScriptedServer, documents: list[Path]
) -> None:
    odd = Path(os.fsdecode(b"caf\xe9.png"))
    odd.write_bytes(b"content")
    with socket.socket(socket.AF_UNIX) as unreadable:
        unreadable.bind("socket.png")
        server.always["POST"] = Answer(202, job_body())
        files = (odd, "socket.png", documents[0])
        done = _run("submit", *files, "--wait", "--url", server.url, "--key", "pk")
    assert done.exit_code == 3, done.output
    for expected in ("caf?.png", "one.png", "socket.png: unreadable The file could not be read: No such device"):
        assert expected in done.stdout


def test_pages_that_cannot_be_written_cost_no_result(server: ScriptedServer, documents: list[Path]) -> None:
    server.always = {"POST": Answer(202, job_body()), "GET": PICTURE}
    order = ("submit", *documents, "--out", "one.png/pages", "--url", server.url, "--key", "pk")
    done = _run(*order)
    assert done.exit_code == 3, done.output
    for name in ("one.png", "two.pdf"):
        assert f"{name}: not_written Its pages could not be written to one.png/pages: Not a directory." in done.stdout
    assert done.stdout.count("signed") == 2
    for told in json.loads(_run(*order, "--json").stdout):
        assert (told["job"]["status"], told["error"]["code"]) == ("succeeded", "not_written")


def test_a_job_that_is_gone_before_its_outcome_costs_no_other(server: ScriptedServer, documents: list[Path]) -> None:
    server.will_answer(Answer(202, job_body("queued")), Answer(404, {"code": "not_found", "detail": "No such job."}))
    done = _run("submit", documents[0], "--wait", "--url", server.url, "--key", "pk")
    assert done.exit_code == 3, done.output
    assert "one.png: not_found No such job." in done.stdout


def _interrupted_at(method: str, server: ScriptedServer, file: Path) -> str:
    """What a submission says on standard error whose user presses Ctrl-C once the server was asked by that method."""
    # A child of a shell's background job ignores the signal unless it says otherwise.
    program = "import signal; signal.signal(2, signal.default_int_handler); from paraphe.cli.main import app; app()"
    order = ["submit", str(file), "--wait", "--url", server.url, "--key", "pk"]
    with subprocess.Popen([sys.executable, "-c", program, *order], stderr=subprocess.PIPE, text=True) as process:
        try:
            deadline = time.monotonic() + 60
            while not any(one.method == method for one in server.asked):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 130, said
    return said


def test_ctrl_c_ends_a_submission_at_once_and_says_what_was_accepted(
    server: ScriptedServer, documents: list[Path]
) -> None:
    server.always = {"POST": Answer(202, job_body("queued")), "GET": Answer(200, job_body("queued"), held_s=30)}
    assert f"{job_body()['id']} one.png" in _interrupted_at("GET", server, documents[0])


def test_ctrl_c_says_that_what_was_just_being_sent_may_have_been_accepted(
    server: ScriptedServer, documents: list[Path]
) -> None:
    server.always = {"POST": Answer(202, job_body("queued"), held_s=30)}
    said = _interrupted_at("POST", server, documents[0])
    assert "What was just being sent may have been accepted (`paraphe jobs list`)." in said


def test_out_writes_annotated_pages_under_names_of_their_own(server: ScriptedServer, documents: list[Path]) -> None:
    twin = Path("elsewhere/one.png")
    twin.parent.mkdir()
    twin.write_bytes(b"content")
    server.always = {"POST": Answer(202, job_body()), "GET": PICTURE}
    done = _run("submit", documents[0], twin, "--out", "pages", "--url", server.url, "--key", "pk")
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in Path("pages").glob("*")) == ["one-2.png.page-1.png", "one.png.page-1.png"]
    assert Path("pages/one.png.page-1.png").read_bytes() == b"PNG"
    assert all("annotated=true" in one.path for one in server.asked if one.method == "GET")


def test_a_log_in_page_is_not_kept_as_a_page_of_the_document(server: ScriptedServer, documents: list[Path]) -> None:
    log_in = Answer(200, b"<html>Log in</html>", {"Content-Type": "text/html"})
    server.always = {"POST": Answer(202, job_body()), "GET": log_in}
    done = _run("submit", documents[0], "--out", "pages", "--url", server.url, "--key", "pk")
    assert (done.exit_code, "not as Paraphe does (status 200, text/html)" in done.stderr) == (1, True)
    assert list(Path("pages").iterdir()) == []


def test_no_two_documents_share_a_name_for_their_pages(server: ScriptedServer, documents: list[Path]) -> None:
    files = [Path("p/s.png"), Path("a/s.png"), Path("s-2.png"), Path("b/s.png")]
    for file in files:
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"content")
    server.always = {"POST": Answer(202, job_body()), "GET": PICTURE}
    done = _run("submit", *files, "--out", "pages", "--url", server.url, "--key", "pk")
    assert done.exit_code == 0, done.output
    assert len(list(Path("pages").iterdir())) == 4


def test_an_unknown_key_stops_everything_and_says_what_to_do(server: ScriptedServer, documents: list[Path]) -> None:
    server.will_answer(*[Answer(401, {"code": "unauthenticated", "detail": "No such key."})] * 2)
    done = _run("submit", *documents, "--url", server.url)
    assert done.exit_code == 1
    assert "PARAPHE_API_KEY" in done.stderr


def test_no_server_says_how_to_start_one(documents: list[Path], pauses: list[float]) -> None:
    done = _run("jobs", "list", "--url", "http://127.0.0.1:9")
    assert done.exit_code == 1
    assert "paraphe up" in done.stderr


@pytest.mark.parametrize("command", [("jobs", "list"), ("events", "j1"), ("submit", "one.png")])
def test_a_server_whose_address_was_given_is_waited_for_while_it_is_upgraded(
    server: ScriptedServer, documents: list[Path], pauses: list[float], command: tuple[str, ...]
) -> None:
    server.stop()
    done = _run(*command, "--url", server.url)
    assert done.exit_code == 1
    assert len(pauses) == 8
    assert done.stderr.count("trying again") == 1
    assert done.stderr.startswith(f"{server.url} cannot be reached: ")


@pytest.mark.parametrize("command", [("jobs", "list"), ("events", "j1"), ("submit", "one.png")])
def test_where_no_address_was_given_and_nothing_listens_a_command_soon_says_so(
    server: ScriptedServer,
    documents: list[Path],
    pauses: list[float],
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
) -> None:
    server.stop()
    monkeypatch.delenv("PARAPHE_URL", raising=False)
    monkeypatch.setattr("paraphe.client.DEFAULT_URL", server.url)
    done = _run(*command)
    assert (done.exit_code, server.url in done.stderr) == (1, True)
    assert len(pauses) == 3
    assert sum(pauses) < 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--url", "http://[::1"), "no address of a server"),
        (("--url", "http://xn--a.b"), "no address of a server"),
        (("--key", "schlüssel"), "API key"),
    ],
)
def test_an_address_or_key_that_is_none_is_said(documents: list[Path], given: tuple[str, str], said: str) -> None:
    done = _run("jobs", "list", *given)
    assert (done.exit_code, said in done.stderr) == (1, True)


def test_a_server_that_is_not_paraphe_is_said(server: ScriptedServer, documents: list[Path]) -> None:
    server.always["GET"] = Answer(200, b"<html>", {"Content-Type": "text/html"})
    for command in (("jobs", "list"), ("events", "j1")):
        done = _run(*command, "--url", server.url)
        assert done.exit_code == 1
        assert "not as Paraphe does (status 200, text/html)" in done.stderr


def test_a_file_as_data_folder_is_a_usage_error(documents: list[Path]) -> None:
    assert _run("jobs", "list", "--data", documents[0]).exit_code == 2


def test_the_version_is_printed() -> None:
    done = _run("--version")
    assert (done.exit_code, done.stdout) == (0, f"{version('paraphe')}\n")


def test_a_missing_file_is_a_usage_error(documents: list[Path]) -> None:
    assert _run("submit", "nowhere.pdf").exit_code == 2


def _data_folder(url: str) -> None:
    Path(".paraphe").mkdir()
    Path(".paraphe/admin.key").write_text("pk_local\n")
    Path(".paraphe/owner.json").write_text(json.dumps({"pid": os.getpid(), "url": url}))


def test_address_and_key_come_from_the_data_folder(server: ScriptedServer, documents: list[Path]) -> None:
    _data_folder(server.url)
    server.will_answer(Answer(200, {"jobs": [FAILED], "next_cursor": None}))
    done = _run("jobs", "list")
    assert done.exit_code == 0, done.output
    assert "corrupt_document" in done.output
    assert server.asked[0].headers["Authorization"] == "Bearer pk_local"


def test_the_local_server_s_address_may_be_pasted_with_a_blank(server: ScriptedServer, documents: list[Path]) -> None:
    _data_folder(server.url)
    server.will_answer(Answer(200, {"jobs": [], "next_cursor": None}))
    assert _run("jobs", "list", "--url", f"{server.url} ").exit_code == 0
    assert server.asked[0].headers["Authorization"] == "Bearer pk_local"


def test_the_local_administrators_key_is_not_sent_to_another_server(
    server: ScriptedServer, documents: list[Path]
) -> None:
    _data_folder("http://127.0.0.1:1")
    server.will_answer(Answer(200, {"jobs": [], "next_cursor": None}))
    assert _run("jobs", "list", "--url", server.url).exit_code == 0
    assert "Authorization" not in server.asked[0].headers


def test_cancel_replay_and_erase_ask_for_exactly_that(server: ScriptedServer, documents: list[Path]) -> None:
    server.will_answer(Answer(200, job_body("canceled")), Answer(202, job_body("queued")), Answer(204, b""))
    at = ("--url", server.url, "--key", "pk")
    assert "canceled" in _run("jobs", "cancel", "j1", *at).output
    assert "queued" in _run("jobs", "replay", "j1", *at).output
    assert _run("jobs", "erase", "j1", "--yes", *at).exit_code == 0
    asked = [(one.method, one.path) for one in server.asked]
    assert asked == [("POST", "/v1/jobs/j1/cancel"), ("POST", "/v1/jobs/j1/replay"), ("DELETE", "/v1/jobs/j1")]


def test_a_new_key_alone_goes_to_standard_output(server: ScriptedServer, documents: list[Path]) -> None:
    key = {
        "id": "k1",
        "name": "scanner",
        "client": "default",
        "prefix": "pk_abc",
        "scopes": ["submit", "read"],
        "requests_per_minute": 600,
        "created_at": "2026-01-02T03:04:05Z",
        "revoked_at": None,
    }
    server.will_answer(
        Answer(201, {**key, "key": "pk_abcdef", "webhook_secret": "whsec_x"}), Answer(200, {"keys": [key]})
    )
    at = ("--url", server.url, "--key", "pk")
    made = _run("keys", "create", "scanner", *at)
    assert made.stdout == "pk_abcdef\n"
    assert "scanner" in _run("keys", "list", *at).output


def test_making_an_account_needs_no_web_framework() -> None:
    program = "import sys; sys.modules['fastapi'] = None; from paraphe.cli.main import app; app()"
    command = [sys.executable, "-c", program, "accounts", "create", "--email", "nobody"]
    environment = {**os.environ, "PARAPHE_PASSWORD": "else it is asked for"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == "nobody is no e-mail address.\n"


def test_a_command_whose_libraries_are_elsewhere_says_what_to_install(tmp_path: Path) -> None:
    command = [sys.executable, as_in_image.__file__, "backup", "data", "check", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0].startswith("paraphe data needs services.trainer")
    assert "pip install 'paraphe[trainer,local]'" in done.stderr
