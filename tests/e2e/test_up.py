"""``paraphe up`` as a person runs it: started, used, killed, started again, stopped."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from paraphe import Client
from paraphe.api_errors import ParapheApiError
from paraphe.local.data_folder import DataFolder
from tests.system import SAMPLES, free_port

PARAPHE = str(Path(sys.executable).with_name("paraphe"))
START_S = 60.0


@dataclass
class Up:
    """One ``paraphe up`` and all it printed."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None
    starts: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        return self._output_file.read_text()

    @property
    def _output_file(self) -> Path:
        return self.folder.with_name(f"output-{self.starts}.txt")

    def start(self, *options: str, until: str = "Running until Ctrl-C") -> None:
        self.starts += 1
        with self._output_file.open("w") as output:
            command = [PARAPHE, "up", "--data", str(self.folder), "--port", str(self.port), *options]
            self.process = subprocess.Popen(
                command, stdout=output, stderr=output, text=True, env=_environment(), preexec_fn=_heed_ctrl_c
            )
        self.wait_for(until)

    def wait_for(self, words: str) -> None:
        assert self.process is not None
        deadline = time.monotonic() + START_S
        while words not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)

    def end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(30)

    def child(self, name: str) -> psutil.Process:
        assert self.process is not None
        for process in psutil.Process(self.process.pid).children():
            if f"services.{name}" in process.cmdline() or process.name() == name:
                return process
        raise AssertionError(f"no {name} among the children")

    def children(self) -> list[psutil.Process]:
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    def client(self) -> Client:
        return Client(self.url, DataFolder(self.folder).admin_key_file.read_text().strip())


def _environment() -> dict[str, str]:
    """With a proxy at which nobody answers: nothing here leaves the machine."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PARAPHE_")}
    return {**ours, "http_proxy": "http://127.0.0.1:9", "no_proxy": ""}


def _heed_ctrl_c() -> None:
    """Also where the tests run in the background and ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _paraphe(
    folder: Path, *arguments: object, given: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    command = [PARAPHE, *map(str, arguments), "--data", str(folder)]
    environment = {**_environment(), "COLUMNS": "160", **(given or {})}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    # Not pytest's own folder: that is closed to other users, and PostgreSQL started by root runs as one.
    path = Path(tempfile.mkdtemp(prefix="paraphe-up-"))
    yield path / "data"
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def up(folder: Path) -> Iterator[Up]:
    """Running, with the sample documents examined; the tests of this module go through its life in order."""
    up = Up(folder)
    up.start(until="first result")
    yield up
    if up.process and up.process.poll() is None:
        up.end(signal.SIGTERM)


def test_the_first_start_examines_the_samples_and_shows_the_key_once(up: Up) -> None:
    for sample in ("bail-4-pages.pdf", "contract-en.png", "letter-1984.tif"):
        (row,) = [line for line in up.output.splitlines() if sample in line]
        assert re.search(r"signed|review", row), row
    key = (up.folder / "admin.key").read_text().strip()
    assert up.output.count(key) == 1
    assert (up.folder / "admin.key").stat().st_mode & 0o777 == 0o600


def test_a_second_start_on_the_same_folder_says_who_is_there(up: Up) -> None:
    done = _paraphe(up.folder, "up")
    assert done.returncode == 1
    assert up.process is not None
    assert f"process {up.process.pid}" in done.stdout
    assert up.url in done.stdout
    assert up.process.poll() is None


def test_a_taken_port_is_named(up: Up, tmp_path: Path) -> None:
    done = _paraphe(tmp_path / "other", "up", "--port", up.port)
    assert done.returncode == 1
    assert f"port {up.port}: Address already in use" in done.stdout


def test_the_command_line_needs_only_the_data_folder(up: Up, tmp_path: Path) -> None:
    out = tmp_path / "pages"
    done = _paraphe(up.folder, "submit", SAMPLES / "contract-en.png", SAMPLES / "bail-4-pages.pdf", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "bail-4-pages.pdf" in done.stdout
    assert len(list(out.glob("*.png"))) == 5
    listed = _paraphe(up.folder, "jobs", "list", "--limit", 2).stdout
    assert "contract-en.png" in listed
    assert "bail-4-pages.pdf" in listed


def test_a_bad_document_is_said_with_exit_status_three(up: Up, tmp_path: Path) -> None:
    bad = tmp_path / "cut.pdf"
    bad.write_bytes((SAMPLES / "bail-4-pages.pdf").read_bytes()[:2000])
    done = _paraphe(up.folder, "submit", bad, SAMPLES / "contract-en.png", "--wait")
    assert done.returncode == 3, done.stdout + done.stderr
    assert re.search(r"(truncated|corrupt)_document", done.stdout)


def test_the_python_client_knows_every_route(up: Up) -> None:
    with up.client() as client:
        job = client.submit(
            SAMPLES / "contract-en.png", metadata={"case": "client"}, requirements={"min_signatures": 9}
        )
        assert [event.kind for event in client.events(job.id)][-1] == "job.succeeded"
        job = client.wait(job)
        assert job.result is not None
        assert job.result.verdict == "unsigned"
        assert [found.id for found in client.jobs(metadata=["case:client"])] == [job.id]
        assert client.page_image(job.id, 1, annotated=True, width=300).startswith(b"\x89PNG")
        with pytest.raises(ParapheApiError, match="conflict"):
            client.cancel(job.id)
        uploaded = client.wait(client.submit_uploaded(client.upload(SAMPLES / "letter-1984.tif"), priority="bulk"))
        assert uploaded.status == "succeeded"
        client.erase(job.id)
        with pytest.raises(ParapheApiError, match="not_found"):
            client.job(job.id)


def test_keys_are_made_limited_and_revoked(up: Up) -> None:
    with up.client() as admin:
        made = admin.create_key("reader", ["read"])
        with Client(up.url, made.secret) as reader:
            assert list(reader.jobs(page_size=1)) != []
            with pytest.raises(ParapheApiError, match="scope_missing"):
                reader.submit(b"%PDF-")
        assert made.key.id in [key.id for key in admin.list_keys()]
        admin.revoke_key(made.key.id)
        assert next(key for key in admin.list_keys() if key.id == made.key.id).revoked_at is not None


@pytest.mark.parametrize("name", ["detector", "postgres"])
def test_a_part_that_is_killed_is_started_again(up: Up, name: str) -> None:
    up.child(name).kill()
    up.wait_for(f"{name} was killed (signal 9)")
    with up.client() as client:
        assert client.wait(client.submit(SAMPLES / "contract-en.png"), timeout_s=60).status == "succeeded"


def test_after_kill_minus_nine_everything_accepted_is_still_there(up: Up) -> None:
    with up.client() as client:
        before = {job.id for job in client.jobs()}
        accepted = [client.submit(path).id for path in [SAMPLES / "bail-4-pages.pdf"] * 5]
    children = up.children()
    up.end(signal.SIGKILL)
    up.start("--no-demo")
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    assert "Administrator's key" in up.output
    assert "pk_" not in up.output
    with up.client() as client:
        assert all(client.wait(job, timeout_s=60).status == "succeeded" for job in accepted)
        assert {job.id for job in client.jobs()} == before | set(accepted)


def test_ctrl_c_stops_everything_in_order_and_keeps_the_data(up: Up) -> None:
    children = up.children()
    began = time.monotonic()
    assert up.end(signal.SIGINT) == 0
    assert time.monotonic() - began < 15
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    said = [
        up.output.index(words) for words in ("stopping gateway", "stopping notifier", "stopping servers", "stopped;")
    ]
    assert said == sorted(said)
    assert "by force" not in up.output


def test_settings_that_are_not_whole_are_named_before_anything_runs(tmp_path: Path) -> None:
    given = {"PARAPHE_POSTGRES_URL": "postgresql://nobody@127.0.0.1:1/x", "PARAPHE_OBJECTS_ENDPOINT": "store:9000"}
    done = _paraphe(tmp_path / "data", "up", "--port", free_port(), given=given)
    assert done.returncode == 1
    assert "PARAPHE_OBJECTS_ACCESS_KEY: Field required" in done.stdout
    assert "PARAPHE_OBJECTS_SECRET_KEY: Field required" in done.stdout


def test_an_operators_database_that_does_not_serve_is_named_without_its_password(tmp_path: Path) -> None:
    given = {"PARAPHE_POSTGRES_URL": f"postgresql://someone:hush@127.0.0.1:{free_port()}/x"}
    done = _paraphe(tmp_path / "data", "up", "--port", free_port(), given=given)
    assert done.returncode == 1
    assert "Connection refused" in done.stdout
    assert "someone" in done.stdout
    assert "hush" not in done.stdout
    assert not (tmp_path / "data" / "postgres").exists()
