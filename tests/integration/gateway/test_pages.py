"""Pictures of pages."""

import io
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from PIL import Image, ImageChops
from sqlalchemy import Engine, text

from services.gateway.annotate import PictureFormat, encode
from services.gateway.resources import Resources
from services.gateway.routes import pages
from shared.domain.detection import Box, Detection, Kind, Page
from shared.objects import ObjectStore
from tests.integration.gateway.conftest import Ask, GatewayProcess, Key, StartGateway
from tests.integration.gateway.test_submit import submit
from tests.integration.gateway.workers import fail, png, succeed, wait_for

SAMPLES = Path(__file__).parents[3] / "samples" / "documents"


def picture(answer: httpx.Response) -> Image.Image:
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png"), answer.text
    return Image.open(io.BytesIO(answer.content))


def test_plain_and_annotated(client: httpx.Client, engine: Engine) -> None:
    job_id = submit(client).json()["id"]
    succeed(engine, job_id)
    plain = picture(client.get(f"/v1/jobs/{job_id}/pages/1.png", params={"width": 400}))
    drawn = picture(client.get(f"/v1/jobs/{job_id}/pages/1.png", params={"width": 400, "annotated": True}))
    assert plain.size == drawn.size == (400, 600)
    changed = ImageChops.difference(plain.convert("RGB"), drawn.convert("RGB"))
    assert ImageChops.difference(plain.convert("RGB"), Image.new("RGB", plain.size, "white")).getbbox() is None
    # The first box, 20.4..80.4 x 200.6..230.6 on the page, twice as large in the picture.
    assert changed.crop((38, 399, 44, 463)).getbbox() is not None
    assert changed.crop((60, 410, 140, 450)).getbbox() is None


def test_boxes_of_a_fax_found_when_it_was_read_as_half_as_high_are_where_they_belong(
    client: httpx.Client, engine: Engine
) -> None:
    fax = io.BytesIO()
    Image.new("1", (120, 100), 1).save(fax, "TIFF", compression="group4", dpi=(200, 100))
    job_id = submit(client, fax.getvalue(), Content_Type="image/tiff").json()["id"]
    succeed(engine, job_id, (Page(1, 120, 100, (Detection("p1-1", Kind.SIGNATURE, 0.9, Box(20, 50, 40, 20)),)),))
    drawn = picture(client.get(f"/v1/jobs/{job_id}/pages/1.png", params={"width": 240, "annotated": True}))
    assert drawn.size == (240, 400)
    inked = ImageChops.difference(drawn, Image.new("RGB", drawn.size, "white")).getbbox()
    assert inked is not None
    assert (inked[0], inked[3]) == pytest.approx((40, 280), abs=3)


def test_a_page_already_shown_needs_not_be_sent_again(client: httpx.Client, engine: Engine) -> None:
    job_id = submit(client).json()["id"]
    succeed(engine, job_id)
    address = f"/v1/jobs/{job_id}/pages/1.png"
    first = client.get(address, params={"width": 100})
    assert first.headers["Cache-Control"].startswith("private")
    tag = {"If-None-Match": first.headers["ETag"]}
    again = client.get(address, params={"width": 100}, headers=tag)
    other = client.get(address, params={"width": 101}, headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    assert other.status_code == 200
    assert client.get(address, params={"width": 100}).content == first.content


def test_pages_that_are_not_there(client: httpx.Client, engine: Engine) -> None:
    done, waiting, bad = (submit(client).json()["id"] for _ in range(3))
    succeed(engine, done)
    fail(engine, bad)
    for job_id in (done, waiting):
        answer = client.get(f"/v1/jobs/{job_id}/pages/2.png")
        assert answer.status_code == 404, answer.text
    for job_id in (waiting, bad):
        answer = client.get(f"/v1/jobs/{job_id}/pages/1.png", params={"annotated": True})
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert client.get(f"/v1/jobs/{waiting}/pages/1.png").status_code == 200


def test_a_document_that_cannot_be_drawn_says_so(client: httpx.Client) -> None:
    job_id = submit(client, png()[:60]).json()["id"]
    answer = client.get(f"/v1/jobs/{job_id}/pages/1.png")
    assert (answer.status_code, answer.json()["code"]) == (422, "truncated_document")


def test_no_other_picture_is_shown_in_place_of_a_document_that_is_gone(
    client: httpx.Client, store: ObjectStore
) -> None:
    before = dict(store.listing("documents/"))
    job_id = submit(client).json()["id"]
    (name,) = dict(store.listing("documents/")).keys() - before.keys()
    other = png(30, 40)
    store.put(name, io.BytesIO(other), len(other), "image/png")
    replaced = client.get(f"/v1/jobs/{job_id}/pages/1.png")
    store.delete(name)
    gone = client.get(f"/v1/jobs/{job_id}/pages/1.png")
    for answer in (replaced, gone):
        assert (answer.status_code, answer.json()["code"]) == (503, "document_missing")


@pytest.mark.parametrize(("number", "width"), [("0", "100"), ("x", "100"), ("1", "63"), ("1", "4001")])
def test_what_cannot_be_drawn(client: httpx.Client, number: str, width: str) -> None:
    job_id = submit(client).json()["id"]
    assert client.get(f"/v1/jobs/{job_id}/pages/{number}.png", params={"width": width}).status_code == 422


def test_a_long_strip_is_kept_in_bounds(client: httpx.Client, engine: Engine) -> None:
    job_id = submit(client, png(10, 20_000)).json()["id"]
    succeed(engine, job_id, (Page(1, 10, 20_000),))
    image = picture(client.get(f"/v1/jobs/{job_id}/pages/1.png", params={"width": 4000}))
    assert image.width * image.height <= 41_000_000


def test_an_erased_page_is_gone_from_the_cache(client: httpx.Client, gateway: GatewayProcess, engine: Engine) -> None:
    job_id = submit(client).json()["id"]
    succeed(engine, job_id)
    assert client.get(f"/v1/jobs/{job_id}/pages/1.png").status_code == 200
    client.delete(f"/v1/jobs/{job_id}")
    assert client.get(f"/v1/jobs/{job_id}/pages/1.png").status_code == 404


def test_a_page_erased_while_it_is_drawn_is_neither_shown_nor_kept(
    client: httpx.Client, key: Key, in_process: Resources, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = submit(client).json()["id"]

    def encode_too_late(image: Image.Image, form: PictureFormat) -> bytes:
        assert client.delete(f"/v1/jobs/{job_id}").status_code == 204
        in_process.pages.forget(UUID(job_id))  # as is announced to every gateway
        return encode(image, form)

    monkeypatch.setattr(pages, "encode", encode_too_late)
    assert ask("GET", f"/v1/jobs/{job_id}/pages/1.png", key).status_code == 404
    assert list(in_process.pages._folder.iterdir()) == []


def test_no_picture_outlasts_a_time_in_which_its_erasure_may_have_gone_unheard(
    start_gateway: StartGateway, key: Key, engine: Engine, tmp_path: Path
) -> None:
    def has_pictures() -> bool:
        return any(tmp_path.rglob("paraphe-pages-*/*"))

    with start_gateway(TMPDIR=str(tmp_path)).client(key) as client:
        job_id = submit(client).json()["id"]
        assert client.get(f"/v1/jobs/{job_id}/pages/1.png").status_code == 200
        assert has_pictures()
        with engine.begin() as connection:
            listening = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = :name"
            connection.execute(text(listening), {"name": "paraphe-gateway-watch"})
        wait_for(lambda: not has_pictures())
