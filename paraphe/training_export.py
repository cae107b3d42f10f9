"""Corrected pages leave for training here and nowhere else: only those whose sender consented, each on record."""

import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from PIL import Image
from sqlalchemy import Connection, Engine

from paraphe.dataset_folder import Row, Written, new_dataset, write_index
from shared.db import audit, jobs, training
from shared.db.audit import Action, Actor
from shared.db.engine import transact
from shared.documents import fetch_document
from shared.domain.correction import Correction
from shared.domain.detection import Box, Kind, Page
from shared.domain.errors import DocumentError, ErrorCode, NotFoundError, TemporaryError
from shared.domain.job import Job
from shared.domain.labels import KINDS, SIGNATURES_ONLY
from shared.objects import ObjectStore
from shared.pages.limits import RenderLimits
from shared.pages.renderer import Renderer
from shared.scratch import scratch_folder

SOURCE = "corrected"
"""What the dataset's index calls these pages' source."""

Raster = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A page that lies in the folder, not yet in its index."""

    client_id: UUID
    job_id: UUID
    row: Row
    files: tuple[Path, Path]


class TrainingExport:
    """Writes a folder that ``services.trainer.dataset`` reads, whole or not at all."""

    def __init__(self, engine: Engine, store: ObjectStore, limits: RenderLimits) -> None:
        self._engine = engine
        self._store = store
        self._limits = limits
        self._left_out: list[str] = []

    def write(self, out: Path, client_name: str | None = None) -> Written:
        """All corrected pages that may leave, of one client or of all. FolderNotEmptyError when ``out`` holds anything.

        Consent is looked at when a document is fetched and once more at the end: what was withdrawn or erased
        meanwhile is not in the folder.
        """
        with new_dataset(out, SOURCE) as folder, scratch_folder():
            entries = self._record(list(self._draw_all(folder, client_name)))
            write_index(folder, [entry.row for entry in entries])
        return Written(len(entries), len({entry.job_id for entry in entries}), self._left_out)

    def _draw_all(self, folder: Path, client_name: str | None) -> Iterator[_Entry]:
        with Renderer(1) as renderer:
            for corrected in transact(self._engine, lambda c: training.corrected_jobs(c, client_name)):
                job = self._allowed(corrected.client_id, corrected.id)
                if job is not None and job.result is not None:
                    yield from self._draw(job, corrected.pages & job.result.corrections.keys(), renderer, folder)

    def _allowed(self, client_id: UUID, job_id: UUID) -> Job | None:
        try:
            job = transact(self._engine, lambda c: jobs.get(c, client_id, job_id, with_result=True))
        except NotFoundError:  # erased since the list was read
            return None
        return job if job.options.training_consent else None

    def _draw(self, job: Job, numbers: Collection[int], renderer: Renderer, folder: Path) -> Iterator[_Entry]:
        assert job.result is not None
        with tempfile.NamedTemporaryFile(prefix="paraphe-export-") as file:
            document = Path(file.name)
            try:
                fetch_document(self._store, job.document, document)
            except TemporaryError as error:
                if error.code is not ErrorCode.DOCUMENT_MISSING:
                    raise
                if self._allowed(job.client_id, job.id):  # not erased since
                    self._left_out.append(f"{job.id}: {error.detail}")
                return
            for page in job.result.pages:
                if page.number not in numbers:
                    continue
                try:
                    raster = renderer.picture(document, page.number, page.width, self._limits).raster
                except (DocumentError, TemporaryError) as error:  # one page is not worth all the others
                    self._left_out.append(f"{job.id} page {page.number}: {error.detail}")
                    continue
                yield _write_page(folder, job, page, job.result.corrections[page.number], raster)

    def _record(self, entries: list[_Entry]) -> list[_Entry]:
        """The entries that may leave now, put on record: a line for each document, before anybody can see the pages."""

        def work(connection: Connection) -> set[UUID]:
            allowed = training.still_allowed(connection, {one.job_id for one in entries})
            for (client_id, job_id), pages in groupby(entries, key=lambda one: (one.client_id, one.job_id)):
                if job_id in allowed:
                    count = len(list(pages))
                    audit.write(connection, Actor(client_id), Action.TRAINING_EXPORTED, job_id, pages=count)
            return allowed

        allowed = transact(self._engine, work)
        for entry in entries:
            if entry.job_id not in allowed:
                for path in entry.files:
                    path.unlink()
        return [entry for entry in entries if entry.job_id in allowed]


def _write_page(folder: Path, job: Job, page: Page, correction: Correction, raster: Raster) -> _Entry:
    name = f"{job.id}-p{page.number}"
    picture, label = folder / "images" / SOURCE / f"{name}.png", folder / "labels" / SOURCE / f"{name}.txt"
    is_grey = raster.strides[2] == 0  # the renderer repeats one channel
    image = Image.fromarray(raster[:, :, 0] if is_grey else raster)
    image.save(picture)
    boxes = correction.content.boxes
    label.write_text("".join(f"{_label(one.kind, one.box.normalized(page.width, page.height))}\n" for one in boxes))
    signatures = sum(one.kind is Kind.SIGNATURE for one in boxes)
    # People are asked for signatures, and seldom mark initials or stamps that the model missed.
    tags = ["corrected", "signed" if signatures else "unsigned", SIGNATURES_ONLY]
    tags += [page.tone.value] if page.tone else []
    row = {
        "source": SOURCE,
        "file": picture.name,
        "width": image.width,
        "height": image.height,
        "n_boxes": signatures,
        # One document is one group, also when it was sent in several jobs: its pages must not part.
        "group": f"document:{job.document.sha256}",
        "doc": job.id,
        "tags": ",".join(tags),
    }
    return _Entry(job.client_id, job.id, row, (picture, label))


def _label(kind: Kind, box: Box) -> str:
    """A line of YOLO's: class, centre, size, as shares of the page. Half a pixel over the edge is cut off."""
    left, top = max(0.0, box.x), max(0.0, box.y)
    width, height = min(1.0, box.x + box.width) - left, min(1.0, box.y + box.height) - top
    return f"{KINDS.index(kind)} {left + width / 2:.6f} {top + height / 2:.6f} {width:.6f} {height:.6f}"
