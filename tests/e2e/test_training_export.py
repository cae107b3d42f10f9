"""What leaves for training: corrected pages of those who said yes, and of nobody else."""

import csv
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from sqlalchemy import text

from services.trainer import dataset_check
from services.trainer.dataset import read_pages
from shared.db.engine import lift_limits
from shared.domain.labels import SIGNATURES_ONLY
from shared.objects import ObjectStore
from shared.settings import ObjectsSettings
from tests import as_in_image, loopback
from tests.conftest import LendSystem
from tests.system import QUICK_RECOVERY, SAMPLES, System

AS_IN_IMAGE = Path(as_in_image.__file__)
LEASE, COLOUR, UNSIGNED = "bail-4-pages.pdf", "contrat-fr.jpg", "contrat-non-signe.jpg"


@pytest.fixture
def system(lend_system: LendSystem) -> System:
    return lend_system(QUICK_RECOVERY, "gateway", "detector")


@pytest.fixture
def api(system: System) -> Iterator[httpx.Client]:
    with loopback.Client(base_url=system.url, headers={"Authorization": f"Bearer {system.key}"}, timeout=60) as client:
        yield client


def examined(api: httpx.Client, name: str, *, consent: bool | None) -> str:
    """A job with its result."""
    said = {} if consent is None else {"training_consent": str(consent).lower()}
    answer = api.post("/v1/jobs", files={"file": (name, (SAMPLES / name).read_bytes())}, data=said)
    assert answer.status_code == 202, answer.text
    job = api.get(answer.headers["location"], params={"wait": 60}).json()
    assert job["status"] == "succeeded", job
    return str(job["id"])


def correct(api: httpx.Client, job_id: str, number: int, *boxes: tuple[str, list[float]]) -> None:
    body: dict[str, Any] = {
        "boxes": [
            {"kind": kind, "box": dict(zip(("x", "y", "width", "height"), place, strict=True))} for kind, place in boxes
        ],
        "no_signature": not any(kind == "signature" for kind, _ in boxes),
    }
    answer = api.put(f"/v1/jobs/{job_id}/pages/{number}/correction", json=body, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text


# `paraphe data`, as the image with the command line runs it: beside Compose's servers there is nothing else.
PARAPHE_DATA = (sys.executable, str(AS_IN_IMAGE), "backup", "data")


def paraphe(system: System, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **system.servers.environment}
    command = [*PARAPHE_DATA, *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@contextmanager
def unfinished(system: System, out: Path, job_id: str) -> Iterator[subprocess.Popen[bytes]]:
    """An export that has drawn the job's page, and cannot go on before the block ends."""
    environment = {**os.environ, **system.servers.environment}
    with system.engine.begin() as connection:
        lift_limits(connection)
        connection.execute(text("select from jobs where id = :id for update"), {"id": job_id})
        process = subprocess.Popen([*PARAPHE_DATA, "export", "--out", str(out)], env=environment)
        deadline = time.monotonic() + 60
        while not pictures_in(out.parent):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield process


def pictures_in(place: Path) -> list[str]:
    """Names of all there are, hidden folders and such as go meanwhile included."""
    return [name for _, _, names in os.walk(place) for name in names if name.endswith(".png")]


def exported(folder: Path) -> set[tuple[str, str]]:
    """(job, file) of every row of the index, which must be all there is in the folder."""
    with (folder / "index.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    pictures = {path.name for path in folder.glob("images/*/*")}
    labels = {path.stem for path in folder.glob("labels/*/*")}
    assert pictures == {row["file"] for row in rows}
    assert labels == {Path(row["file"]).stem for row in rows}
    return {(row["doc"], row["file"]) for row in rows}


def test_only_corrected_pages_of_those_who_said_yes_leave(system: System, api: httpx.Client, tmp_path: Path) -> None:
    lease, plain = examined(api, LEASE, consent=True), examined(api, UNSIGNED, consent=True)
    refused, silent = examined(api, COLOUR, consent=False), examined(api, COLOUR, consent=None)
    erased, withdrawn = examined(api, "letter-1984.tif", consent=True), examined(api, "contract-en.png", consent=True)
    examined(api, COLOUR, consent=True)  # allowed, but nobody corrected it
    size = api.get(f"/v1/jobs/{lease}").json()["result"]["pages"][3]
    place = [0.25 * size["width"], 0.5 * size["height"], 0.5 * size["width"], 0.1 * size["height"]]
    correct(api, lease, 4, ("signature", place), ("stamp", [10, 20, 100, 50]))
    correct(api, lease, 2)
    for job_id in (plain, refused, silent, erased, withdrawn):
        correct(api, job_id, 1, ("signature", [100, 100, 200, 50]))
    correct(api, plain, 1)
    assert api.delete(f"/v1/jobs/{erased}").status_code == 204
    answer = api.put(f"/v1/jobs/{withdrawn}/training-consent", json={"training_consent": False})
    assert (answer.status_code, answer.json()["training_consent"]) == (200, False)

    out = tmp_path / "export"
    done = paraphe(system, "export", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert "3 pages of 2 documents" in done.stdout
    assert exported(out) == {
        (lease, f"{lease}-p2.png"),
        (lease, f"{lease}-p4.png"),
        (plain, f"{plain}-p1.png"),
    }
    assert dataset_check.check(read_pages(out)) == []

    pages = {page.path.stem: page for page in read_pages(out)}
    signature, stamp = pages[f"{lease}-p4"].boxes
    assert (signature.kind, signature.cx, signature.cy) == (0, pytest.approx(0.5), pytest.approx(0.55))
    assert (signature.width, signature.height, stamp.kind) == (pytest.approx(0.5), pytest.approx(0.1), 2)
    assert pages[f"{lease}-p2"].boxes == pages[f"{plain}-p1"].boxes == ()
    assert pages[f"{lease}-p2"].group == pages[f"{lease}-p4"].group != pages[f"{plain}-p1"].group
    assert pages[f"{lease}-p4"].tags == {"corrected", "signed", "bilevel", SIGNATURES_ONLY}
    assert Image.open(pages[f"{lease}-p4"].path).size == (size["width"], size["height"])

    with system.engine.connect() as connection:
        told = connection.execute(text("select subject, action, detail from audit_lines order by id")).all()
    left = {row.subject: row.detail for row in told if row.action == "job.exported_for_training"}
    assert left == {lease: {"pages": 2}, plain: {"pages": 1}}
    assert [row.subject for row in told if row.action == "job.training_forbidden"] == [withdrawn]

    again = paraphe(system, "export", "--out", str(out))
    assert again.returncode == 1
    assert "not empty" in again.stderr


def test_a_document_sent_twice_leaves_once_with_its_newest_correction(
    system: System, api: httpx.Client, tmp_path: Path
) -> None:
    first, second = examined(api, UNSIGNED, consent=True), examined(api, UNSIGNED, consent=True)
    correct(api, second, 1, ("signature", [100, 100, 200, 50]))
    correct(api, first, 1, ("signature", [100, 300, 200, 50]))
    out = tmp_path / "export"
    assert paraphe(system, "export", "--out", str(out), "--client", "tests").returncode == 0
    assert {job for job, _ in exported(out)} == {first}, "the job is older, what was said last is said of it"
    nobody = paraphe(system, "export", "--out", str(tmp_path / "none"), "--client", "nobody")
    assert "0 pages of 0 documents" in nobody.stdout


def test_an_export_that_is_told_to_stop_takes_its_pages_away(
    system: System, api: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    job_id = examined(api, UNSIGNED, consent=True)
    correct(api, job_id, 1)
    with unfinished(system, tmp_path / "export", job_id) as process:
        process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 130
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_export_left_goes_with_the_next(
    system: System, api: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # as in the image: both in the volume, which outlives the container
    job_id = examined(api, UNSIGNED, consent=True)
    correct(api, job_id, 1)
    with unfinished(system, tmp_path / "killed", job_id) as process:
        process.kill()
        process.wait()
    assert pictures_in(tmp_path)
    out = tmp_path / "export"
    done = paraphe(system, "export", "--out", str(out))
    assert "1 pages of 1 documents" in done.stdout
    assert list(tmp_path.iterdir()) == [out]


def test_a_document_that_is_gone_or_another_is_left_out_and_named(
    system: System, api: httpx.Client, tmp_path: Path
) -> None:
    there, gone, changed = (examined(api, name, consent=True) for name in (UNSIGNED, COLOUR, LEASE))
    for job_id in (there, gone, changed):
        correct(api, job_id, 1)
    store = ObjectStore(ObjectsSettings())
    names = {name.rpartition("/")[2]: name for name, _ in store.listing("documents/")}
    store.delete(names[gone])
    other = (SAMPLES / UNSIGNED).read_bytes()
    store.put(names[changed], io.BytesIO(other), len(other), "application/pdf")

    out = tmp_path / "export"
    done = paraphe(system, "export", "--out", str(out))
    assert {job for job, _ in exported(out)} == {there}
    told = done.stderr.splitlines()
    assert any(f"left out: {gone}: The object store does not have the document" in line for line in told), told
    assert any(f"left out: {changed}: The stored document is not the one that was sent" in line for line in told), told
