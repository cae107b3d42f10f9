"""The detector worker as a process on real servers: from a queued row to its outcome."""

import hashlib
import io
import json
import time

import pytest
from PIL import Image

from shared.db import events, jobs, keys
from shared.dispatch import send
from shared.domain.detection import Kind, Tone, richest_tone
from shared.domain.events import EventKind
from shared.domain.ids import new_id
from shared.domain.job import Document, Job, JobOptions, JobState
from shared.domain.verdict import Requirements
from shared.objects import ObjectStore
from shared.queue import Publisher
from shared.settings import JobSettings, RedisSettings
from tests.conftest import LendSystem
from tests.system import QUICK_RECOVERY, SAMPLES, System

EXPECTED = json.loads((SAMPLES / "expected.json").read_text())
EXPECTED_TONES = {
    "bail-4-pages.pdf": Tone.BILEVEL,
    "contract-en.png": Tone.COLOUR,
    "contrat-fr.jpg": Tone.COLOUR,
    "contrat-non-signe.jpg": Tone.GREY,
    "letter-1984.tif": Tone.BILEVEL,
}

MODEL = "signatures"


@pytest.fixture
def system(lend_system: LendSystem) -> System:
    return lend_system({**QUICK_RECOVERY, "PARAPHE_MODEL_DEFAULT": MODEL}, "detector")


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_sample_document_is_examined(system: System, store: ObjectStore, name: str) -> None:
    document = (SAMPLES / name).read_bytes()
    job = outcome(system, queue(system, store, document))
    assert job.state is JobState.SUCCEEDED, job.failure
    assert job.result is not None
    assert len(job.result.pages) == EXPECTED[name]["pages"]
    assert job.tone == richest_tone(job.result.pages) == EXPECTED_TONES[name]
    assert job.verdict == ("signed" if EXPECTED[name]["signatures"] else "unsigned")
    assert job.result.decision.count == job.signature_count
    assert job.result.timings.rendered > 0
    for page in job.result.pages:
        for found in page.detections:
            assert 0 <= found.box.x <= found.box.x + found.box.width <= page.width
            assert 0 <= found.box.y <= found.box.y + found.box.height <= page.height
    assert kinds(system, job) == [EventKind.JOB_QUEUED, EventKind.JOB_STARTED, EventKind.JOB_SUCCEEDED]


def test_a_contract_that_was_scanned_sideways_is_signed(system: System, store: ObjectStore) -> None:
    scan = io.BytesIO()
    with Image.open(SAMPLES / "contrat-fr.jpg") as upright:
        upright.transpose(Image.Transpose.ROTATE_90).save(scan, "JPEG", quality=90)
    job = outcome(system, queue(system, store, scan.getvalue()))
    assert (job.verdict, job.signature_count) == ("signed", EXPECTED["contrat-fr.jpg"]["signatures"])
    assert job.result is not None
    (page,) = job.result.pages
    assert page.width > page.height, "as it lies in the file"
    assert all(one.box.height > one.box.width for one in page.detections if one.kind is Kind.SIGNATURE)


def test_a_bad_document_fails_at_once_with_its_code(system: System, store: ObjectStore) -> None:
    half = (SAMPLES / "contrat-fr.jpg").read_bytes()[:30_000]
    job = outcome(system, queue(system, store, half))
    assert job.state is JobState.FAILED
    assert job.failure is not None
    assert job.failure.code == "truncated_document"
    assert job.attempts == 1
    assert kinds(system, job)[-1] is EventKind.JOB_FAILED


def test_a_document_the_store_has_lost_is_retried_and_then_failed(system: System, store: ObjectStore) -> None:
    system.start("reconciler")
    waiting = queue(system, store, b"\x89PNG\r\n\x1a\n never to be read")
    store.delete(waiting.document.object_name)
    job = outcome(system, waiting)
    assert job.state is JobState.FAILED
    assert job.failure is not None
    assert job.failure.code == "document_missing"
    assert job.attempts == job.max_attempts


def test_an_unmet_requirement_makes_it_unsigned(system: System, store: ObjectStore) -> None:
    document = (SAMPLES / "contrat-fr.jpg").read_bytes()
    job = outcome(system, queue(system, store, document, JobOptions(requirements=Requirements(min_signatures=40))))
    assert job.verdict == "unsigned"


def test_log_lines_carry_job_and_request_id(system: System, store: ObjectStore) -> None:
    job = outcome(system, queue(system, store, (SAMPLES / "letter-1984.tif").read_bytes()))
    lines = [json.loads(line) for line in system.processes["detector"].spec.log.read_text().splitlines()]
    said = [line for line in lines if line.get("job_id") == str(job.id)]
    assert [line["event"] for line in said] == ["examining", "succeeded"]
    assert all(line["request_id"] == "request-1" for line in said)


def queue(system: System, store: ObjectStore, content: bytes, options: JobOptions | None = None) -> Job:
    with system.engine.begin() as connection:
        client = keys.ensure_client(connection, "tests")
        document = Document(new_id(), client.id, hashlib.sha256(content).hexdigest(), len(content), "image/any")
        store.put(document.object_name, io.BytesIO(content), len(content), "image/any")
        settings = JobSettings()
        new = jobs.NewJob(document, MODEL, options or JobOptions(), "request-1")
        accepted = jobs.accept(connection, new, settings)
    send(Publisher(RedisSettings()), accepted.messages)
    return accepted.job


def outcome(system: System, job: Job, within_s: float = 40.0) -> Job:
    deadline = time.monotonic() + within_s
    while True:
        with system.engine.begin() as connection:
            now = jobs.get(connection, job.client_id, job.id, with_result=True)
        if now.state.is_final:
            return now
        assert time.monotonic() < deadline, f"still {now.state}: {system.processes['detector'].log_tail()}"
        time.sleep(0.05)


def kinds(system: System, job: Job) -> list[EventKind]:
    with system.engine.begin() as connection:
        return [event.kind for event in events.of_job(connection, job.id)]
