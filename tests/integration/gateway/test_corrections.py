"""People's boxes beside the model's: read, saved, refused when somebody was quicker, gone with the job."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from PIL import Image, ImageChops, ImageStat
from sqlalchemy import Engine, func, select

from services.gateway.answer_schemas import JobOut
from services.gateway.correction_schemas import CorrectedPageOut
from shared.db.keys import Scope
from shared.db.tables import corrected_results, corrections, events, outbox
from tests.integration.gateway.conftest import GatewayProcess, Key, MakeKey
from tests.integration.gateway.test_submit import submit
from tests.integration.gateway.workers import SIGNED_PAGE, fail, succeed

BOX = {"x": 10, "y": 20.5, "width": 30, "height": 15}
SIGNED = {"boxes": [{"kind": "signature", "box": BOX, "detection": "p1-2"}]}
UNSIGNED = {"boxes": [], "no_signature": True}


@pytest.fixture
def key(make_key: MakeKey) -> Key:
    """A key that may correct, too."""
    return make_key(Scope.SUBMIT, Scope.READ, Scope.REVIEW)


@pytest.fixture
def job_id(client: httpx.Client, engine: Engine) -> str:
    """An examined job of one page, signed."""
    made = str(submit(client).json()["id"])
    succeed(engine, made)
    return made


def address(job_id: str, number: int = 1) -> str:
    return f"/v1/jobs/{job_id}/pages/{number}/correction"


def save(client: httpx.Client, job_id: str, body: dict[str, Any], if_match: str | None = '"0"') -> httpx.Response:
    return client.put(address(job_id), json=body, headers={"If-Match": if_match} if if_match else {})


def count(engine: Engine, table: Any) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_correction_stands_beside_what_the_model_said(client: httpx.Client, job_id: str) -> None:
    before = client.get(f"/v1/jobs/{job_id}").json()["result"]
    saved = save(client, job_id, UNSIGNED)
    assert (saved.status_code, saved.headers["ETag"]) == (200, '"1"'), saved.text
    job = client.get(f"/v1/jobs/{job_id}").json()
    JobOut.model_validate(job)
    after = job["result"]
    assert (before["verdict"], before["corrected"], before["pages"][0]["correction"]) == ("signed", None, None)
    assert (after["verdict"], after["count"], after["requirements"]) == ("signed", 1, before["requirements"])
    assert after["pages"][0]["detections"] == before["pages"][0]["detections"]
    assert (after["corrected"]["verdict"], after["corrected"]["count"]) == ("unsigned", 0)
    assert after["corrected"]["requirements"][0]["state"] == "not_met"
    assert after["pages"][0]["correction"]["no_signature"] is True


def test_every_version_is_kept_with_who_and_when(client: httpx.Client, job_id: str, engine: Engine) -> None:
    first = client.get(address(job_id))
    CorrectedPageOut.model_validate(first.json())
    assert (first.headers["ETag"], first.json()["correction"], first.json()["history"]) == ('"0"', None, [])
    save(client, job_id, UNSIGNED)
    second = save(client, job_id, SIGNED, '"1"')
    shown = client.get(address(job_id))
    assert second.json() == shown.json()
    CorrectedPageOut.model_validate(shown.json())
    assert [one["version"] for one in shown.json()["history"]] == [2, 1]
    assert {one["author"] for one in shown.json()["history"]} == {"test"}
    assert datetime.fromisoformat(shown.json()["correction"]["saved_at"]).tzinfo is not None
    assert shown.json()["corrected"] == client.get(f"/v1/jobs/{job_id}").json()["result"]["corrected"]
    assert shown.json()["correction"]["boxes"] == [
        {
            "kind": "signature",
            "detection": "p1-2",
            "box": BOX,
            "box_normalized": {"x": 0.05, "y": 0.068333, "width": 0.15, "height": 0.05},
        }
    ]
    assert count(engine, corrections) == 2


def test_the_second_of_two_reviewers_is_told_and_overwrites_nothing(
    gateway: GatewayProcess, client: httpx.Client, job_id: str, make_key: MakeKey
) -> None:
    read = client.get(address(job_id)).headers["ETag"]
    with gateway.client(make_key(Scope.REVIEW)) as colleague:
        assert save(colleague, job_id, UNSIGNED, read).status_code == 200
    refused = save(client, job_id, SIGNED, read)
    assert (refused.status_code, refused.json()["code"]) == (412, "precondition_failed")
    assert "test saved version 1" in refused.json()["detail"]
    now = client.get(address(job_id))
    assert now.json()["correction"]["no_signature"] is True
    assert save(client, job_id, SIGNED, now.headers["ETag"]).status_code == 200


def test_of_many_at_the_same_moment_one_wins(client: httpx.Client, job_id: str, engine: Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: save(client, job_id, SIGNED).status_code, range(8)))
    assert sorted(answers) == [200] + [412] * 7
    assert (count(engine, corrections), count(engine, corrected_results)) == (1, 1)


def test_corrections_of_different_pages_at_once_all_count(client: httpx.Client, engine: Engine) -> None:
    job_id = submit(client).json()["id"]
    pages = tuple(SIGNED_PAGE.__class__(number, 200, 300) for number in range(1, 7))
    succeed(engine, job_id, pages)
    body = {"boxes": [{"box": BOX}]}
    with ThreadPoolExecutor(6) as pool:
        answers = pool.map(
            lambda number: client.put(address(job_id, number), json=body, headers={"If-Match": '"0"'}), range(1, 7)
        )
    assert {answer.status_code for answer in answers} == {200}
    assert client.get(f"/v1/jobs/{job_id}").json()["result"]["corrected"]["count"] == 6


def test_a_precondition_is_required_and_a_star_fits_any(client: httpx.Client, job_id: str) -> None:
    missing = save(client, job_id, SIGNED, None)
    assert (missing.status_code, missing.json()["code"]) == (428, "precondition_required")
    assert client.get(address(job_id)).json()["history"] == []
    assert save(client, job_id, SIGNED, "*").status_code == 200


def test_it_is_an_event_that_no_webhook_hears_of(client: httpx.Client, job_id: str, engine: Engine) -> None:
    save(client, job_id, UNSIGNED)
    told = client.get(f"/v1/jobs/{job_id}/events", headers={"Accept": "application/json"}).json()["events"][-1]
    assert told["kind"] == "job.corrected"
    assert told["data"] == {
        "page": 1,
        "version": 1,
        "verdict": "unsigned",
        "count": 0,
        "model": "signatures@1",
        "changes": {"removed": 3},
    }
    with engine.connect() as connection:
        subjects = connection.execute(select(outbox.c.subject)).scalars().all()
        assert connection.execute(select(events.c.id).where(events.c.kind == "job.corrected")).scalar_one() in subjects


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"boxes": []}, "/boxes"),
        ({"boxes": [{"box": BOX}], "no_signature": True}, "/boxes"),
        ({"boxes": [{"box": {**BOX, "x": 190}}]}, "/boxes"),
        ({"boxes": [{"box": BOX, "detection": "p9-9"}]}, "/boxes"),
        ({"boxes": [{"box": {**BOX, "width": 0}}]}, "/boxes/0/box/width"),
        ({"boxes": [{"box": BOX, "kind": "seal"}]}, "/boxes/0/kind"),
        ({"boxes": [{"box": BOX}], "author": "me"}, "/author"),
        ({}, "/boxes"),
    ],
)
def test_what_cannot_be_said(client: httpx.Client, job_id: str, body: dict[str, Any], pointer: str) -> None:
    answer = save(client, job_id, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_what_is_not_there_or_not_examined(client: httpx.Client, job_id: str, engine: Engine) -> None:
    waiting, bad = (submit(client).json()["id"] for _ in range(2))
    fail(engine, bad)
    for unfinished in (waiting, bad):
        assert client.get(address(unfinished)).status_code == 409
        assert save(client, unfinished, SIGNED).json()["code"] == "conflict"
    for path in (address(job_id, 2), address(str(uuid4()))):
        assert client.get(path).status_code == 404
        assert client.put(path, json=SIGNED, headers={"If-Match": '"0"'}).status_code == 404


def test_strangers_and_readers_save_nothing(
    gateway: GatewayProcess, client: httpx.Client, job_id: str, make_key: MakeKey
) -> None:
    with gateway.client(make_key(*Scope, client="other")) as stranger:
        assert stranger.get(address(job_id)).status_code == 404
        assert save(stranger, job_id, SIGNED).status_code == 404
    with gateway.client(make_key(Scope.READ, Scope.SUBMIT)) as reader:
        assert reader.get(address(job_id)).status_code == 200
        refused = save(reader, job_id, SIGNED)
        assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    with gateway.client() as nobody:
        assert save(nobody, job_id, SIGNED).status_code == 401
    assert client.get(address(job_id)).json()["history"] == []


def test_erasing_the_job_erases_its_corrections(client: httpx.Client, job_id: str, engine: Engine) -> None:
    save(client, job_id, SIGNED)
    assert client.delete(f"/v1/jobs/{job_id}").status_code == 204
    assert (count(engine, corrections), count(engine, corrected_results)) == (0, 0)
    with engine.connect() as connection:
        data = connection.execute(select(events.c.data).where(events.c.kind == "job.corrected")).scalar_one()
    assert data.keys() == {"changes", "count", "model", "verdict"}, "figures, until the notifier has counted them"


class TestPictures:
    def drawn(self, client: httpx.Client, job_id: str, kind: str = "png", **wanted: object) -> Image.Image:
        parameters = {"width": 200, "annotated": True, **wanted}
        answer = client.get(f"/v1/jobs/{job_id}/pages/1.{kind}", params=parameters)  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        image = Image.open(io.BytesIO(answer.content))
        assert (image.format, image.size) == ({"png": "PNG", "jpg": "JPEG"}[kind], (200, 300))
        return image.convert("RGB")

    def test_a_persons_boxes_are_drawn_where_they_are_asked_for(self, client: httpx.Client, job_id: str) -> None:
        model = self.drawn(client, job_id)
        assert self.drawn(client, job_id, corrected=True).tobytes() == model.tobytes()
        save(client, job_id, {"boxes": [{"box": {"x": 100, "y": 100, "width": 50, "height": 50}}]})
        assert self.drawn(client, job_id).tobytes() == model.tobytes()
        person = self.drawn(client, job_id, corrected=True)
        assert person.getpixel((125, 149)) != (255, 255, 255) == model.getpixel((125, 149))
        assert person.getpixel((21, 215)) == (255, 255, 255) != model.getpixel((21, 215))

    def test_a_jpeg_is_the_same_picture(self, client: httpx.Client, job_id: str) -> None:
        small, exact = self.drawn(client, job_id, "jpg"), self.drawn(client, job_id, "png")
        assert max(ImageStat.Stat(ImageChops.difference(small, exact)).mean) < 3
