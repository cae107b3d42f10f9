"""A job's pages as pictures: fetched from the object store, drawn by the renderer, boxes put on them."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from services.gateway.annotate import draw_boxes, picture
from services.gateway.resources import Resources
from shared.db import jobs
from shared.documents import fetch_document
from shared.domain.correction import corrected_page
from shared.domain.detection import Page
from shared.domain.errors import ErrorCode, TemporaryError
from shared.domain.job import Job


@contextmanager
def document_of(gateway: Resources, job: Job) -> Iterator[Path]:
    """The job's document as a file, which goes with the block."""
    with tempfile.TemporaryDirectory(prefix="paraphe-page-") as folder:
        path = Path(folder) / "document"
        try:
            fetch_document(gateway.objects, job.document, path)
        except TemporaryError as error:
            if error.code == ErrorCode.DOCUMENT_MISSING:
                # Erased since it was read: then that is what to say.
                gateway.transact(lambda connection: jobs.get(connection, job.client_id, job.id))
            raise
        yield path


def plain_page(gateway: Resources, document: Path, number: int, width: int) -> Image.Image:
    """One page (1-based) as displayed, ``width`` pixels wide."""
    return picture(gateway.renderer.picture(document, number, width, gateway.settings.limits.rendering()))


def boxed(image: Image.Image, job: Job, page: Page, *, corrected: bool) -> Image.Image:
    """The page's picture with the model's boxes, or a person's where they are wanted and there are some."""
    correction = job.result.corrections.get(page.number) if corrected and job.result else None
    shown = corrected_page(page, correction)
    if not shown.detections:
        return image  # grey pages stay grey, and small
    return draw_boxes(image, shown, with_confidence=correction is None)
