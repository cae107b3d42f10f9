"""A document to take along: all its pages with their boxes, as one PDF that is sent while it is being made.

Three hundred pages take a minute. Sent as they are drawn, the browser shows how far it is, nobody on the way takes
the silence for an end, and whoever gives up costs no more than the pages drawn so far.
"""

import tempfile
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from pathlib import Path

import anyio
from PIL import Image

from services.gateway.drawing import boxed, document_of, plain_page
from services.gateway.resources import Resources
from shared.domain.job import Job

_WIDTH = 1240
# A4 pages, whatever they were, come out about as large as paper.
_DPI = 150.0
# Each addition reads the file's tables again: one a page would cost more than drawing them. Each page takes 7 MB.
_PAGES_AT_ONCE = 4


async def annotated_pdf(gateway: Resources, job: Job) -> AsyncGenerator[bytes, None]:
    """The PDF piece by piece, a few pages each. What is wrong with the document shows before the first."""
    assert job.result is not None
    numbers = range(len(job.result.pages))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="paraphe-pdf-")))
        # The few threads for drawing, and only for a few pages at a time: others want their pages meanwhile.
        document = await anyio.to_thread.run_sync(
            stack.enter_context, document_of(gateway, job), limiter=gateway.drawing
        )
        for start in numbers[::_PAGES_AT_ONCE]:
            chosen = numbers[start : start + _PAGES_AT_ONCE]
            yield await anyio.to_thread.run_sync(
                _add, gateway, job, document, folder / "made.pdf", chosen, limiter=gateway.drawing
            )


def _add(gateway: Resources, job: Job, document: Path, target: Path, chosen: range) -> bytes:
    """What these pages add to the file: a PDF is added to at its end, what is there stays as it is."""
    first, *others = (_drawn(gateway, job, document, index) for index in chosen)
    size = target.stat().st_size if target.exists() else 0
    first.save(target, "PDF", resolution=_DPI, append=size > 0, save_all=True, append_images=others)
    with target.open("rb") as file:
        file.seek(size)
        return file.read()


def _drawn(gateway: Resources, job: Job, document: Path, index: int) -> Image.Image:
    assert job.result is not None
    page = job.result.pages[index]
    return boxed(plain_page(gateway, document, page.number, _WIDTH), job, page, corrected=True)
