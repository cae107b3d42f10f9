"""What a person types, against a server that answers as told."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from paraphe.cli.main import app
from tests import as_in_image
from tests.unit.paraphe.conftest import Answer, ScriptedServer, job_body

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


def test_out_writes_annotated_pages_under_names_of_their_own(server: ScriptedServer, documents: list[Path]) -> None:
    twin = Path("elsewhere/one.png")
    twin.parent.mkdir()
    twin.write_bytes(b"content")
    server.always = {"POST": Answer(202, job_body()), "GET": Answer(200, b"PNG")}
    done = _run("submit", documents[0], twin, "--out", "pages", "--url", server.url, "--key", "pk")
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in Path("pages").glob("*")) == ["one-2.png.page-1.png", "one.png.page-1.png"]
    assert Path("pages/one.png.page-1.png").read_bytes() == b"PNG"
    assert all("annotated=true" in one.path for one in server.asked if one.method == "GET")


def test_an_unknown_key_stops_everything_and_says_what_to_do(server: ScriptedServer, documents: list[Path]) -> None:
    server.will_answer(*[Answer(401, {"code": "unauthenticated", "detail": "No such key."})] * 2)
    done = _run("submit", *documents, "--url", server.url)
    assert done.exit_code == 1
    assert "PARAPHE_API_KEY" in done.stderr


def test_no_server_says_how_to_start_one(documents: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paraphe.transport.time.sleep", lambda _: None)
    done = _run("jobs", "list", "--url", "http://127.0.0.1:9")
    assert done.exit_code == 1
    assert "paraphe up" in done.stderr


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


def test_a_command_whose_libraries_are_elsewhere_says_what_to_install(tmp_path: Path) -> None:
    command = [sys.executable, as_in_image.__file__, "backup", "data", "check", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0].startswith("paraphe data needs services.trainer")
    assert "pip install 'paraphe[trainer,local]'" in done.stderr
