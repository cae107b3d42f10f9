"""The whole document with its boxes, sent while it is being made."""

import io

import pypdfium2
from sqlalchemy import Engine, text

from shared.domain.detection import Box, Detection, Kind, Page
from shared.objects import ObjectStore
from tests.integration.gateway.web.conftest import Person
from tests.integration.gateway.workers import succeed
from tests.unit.pages.making import pdf_of_pages

PAGES = 9


def examined(person: Person, engine: Engine) -> str:
    answer = person.api("POST", "/v1/jobs", files={"file": ("nine.pdf", pdf_of_pages(PAGES))})
    assert answer.status_code == 202, answer.text
    found = (Detection("p3-1", Kind.SIGNATURE, 0.9, Box(50, 50, 100, 100)),)
    succeed(engine, answer.json()["id"], tuple(Page(n, 200, 200, found * (n == 3)) for n in range(1, PAGES + 1)))
    return str(answer.json()["id"])


def test_every_page_is_there_in_order_and_boxes_are_drawn(operator: Person, engine: Engine) -> None:
    job_id = examined(operator, engine)
    with operator.http.stream("GET", f"/jobs/{job_id}/annotated.pdf") as answer:
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
        pieces = list(answer.iter_raw())
    assert len(pieces) > 1, "it is sent as it is made"
    document = pypdfium2.PdfDocument(io.BytesIO(b"".join(pieces)))
    assert len(document) == PAGES
    drawn = [page.render(scale=0.5).to_pil().convert("RGB").getcolors(10_000) for page in document]
    assert [len(colours) > 1 for colours in drawn] == [number == 3 for number in range(1, PAGES + 1)]


def test_a_document_that_is_gone_is_an_error_and_no_broken_file(
    operator: Person, engine: Engine, store: ObjectStore
) -> None:
    job_id = examined(operator, engine)
    with engine.connect() as connection:
        row = connection.execute(text("select client_id, sha256, documents.id from documents")).one()
    store.delete(f"documents/{row.client_id}/{row.sha256}/{row.id}")
    assert operator.get(f"/jobs/{job_id}/annotated.pdf").status_code == 503
