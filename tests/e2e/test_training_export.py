"""What leaves for training: corrected pages of those who said yes, and of nobody else."""

import csv
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from sqlalchemy import text

from services.trainer import dataset_check
from services.trainer.dataset import read_pages
from shared.domain.labels import SIGNATURES_ONLY
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


def paraphe(system: System, *words: str) -> subprocess.CompletedProcess[str]:
    """`paraphe data`, as the image with the command line runs it: beside Compose's servers there is nothing else."""
    command = [sys.executable, str(AS_IN_IMAGE), "backup", "data", *words]
    environment = {**os.environ, **system.servers.environment}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


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
