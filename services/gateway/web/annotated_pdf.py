"""A document to take along: all its pages with their boxes, as one PDF."""

from pathlib import Path

from services.gateway.drawing import boxed, document_of, plain_page
from services.gateway.resources import Resources
from shared.domain.job import Job

_WIDTH = 1240
# A4 pages, whatever they were, come out about as large as paper.
_DPI = 150.0


def write_annotated_pdf(gateway: Resources, job: Job, target: Path) -> None:
    """Page after page into ``target``, so that of a long document only one page is in memory at a time."""
    assert job.result is not None
    with document_of(gateway, job) as document:
        for page in job.result.pages:
            image = boxed(plain_page(gateway, document, page.number, _WIDTH), job, page, corrected=True)
            image.save(target, "PDF", resolution=_DPI, append=target.exists())
