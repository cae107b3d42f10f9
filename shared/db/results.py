"""Results as rows: pages and detections of a succeeded job."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select

from shared.db import corrections
from shared.db.tables import detections, job_pages
from shared.domain.detection import Box, Detection, Kind, Page, Tone
from shared.domain.job import JobResult, Timings
from shared.domain.json_forms import outcome_from_json
from shared.domain.verdict import Decision, Verdict


def write_pages(connection: Connection, job_id: UUID, pages: tuple[Page, ...]) -> None:
    """Insert a job's pages and detections."""
    connection.execute(
        insert(job_pages),
        [
            {"job_id": job_id, "number": one.number, "width": one.width, "height": one.height, "tone": one.tone}
            for one in pages
        ],
    )
    found = [_detection_row(job_id, page, one) for page in pages for one in page.detections]
    if found:
        connection.execute(insert(detections), found)


def _detection_row(job_id: UUID, page: Page, found: Detection) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "id": found.id,
        "page_number": page.number,
        "kind": found.kind,
        "confidence": found.confidence,
        "x": found.box.x,
        "y": found.box.y,
        "width": found.box.width,
        "height": found.box.height,
    }


def pages_of(connection: Connection, job_id: UUID) -> tuple[Page, ...]:
    """A job's pages in order, each with its detections, surest first."""
    found: dict[int, list[Detection]] = defaultdict(list)
    rows = connection.execute(
        select(detections).where(detections.c.job_id == job_id).order_by(detections.c.confidence.desc())
    )
    for row in rows:
        box = Box(row.x, row.y, row.width, row.height)
        found[row.page_number].append(Detection(row.id, Kind(row.kind), row.confidence, box))
    pages = connection.execute(select(job_pages).where(job_pages.c.job_id == job_id).order_by(job_pages.c.number))
    return tuple(
        Page(row.number, row.width, row.height, tuple(found[row.number]), Tone(row.tone) if row.tone else None)
        for row in pages
    )


def result_of(connection: Connection, row: Row[Any]) -> JobResult:
    """The result of a succeeded job, given its row."""
    outcomes = tuple(outcome_from_json(one) for one in row.requirement_outcomes)
    return JobResult(
        decision=Decision(Verdict(row.verdict), row.signature_count, outcomes),
        pages=pages_of(connection, row.id),
        model_name=row.model,
        model_version=row.model_version,
        timings=Timings(**row.timings),
        corrections=corrections.in_force(connection, row.id),
        corrected=corrections.corrected_decision(connection, row.id),
    )
