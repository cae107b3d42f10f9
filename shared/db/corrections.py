"""Corrections as rows: what people said of pages. Saving them is ``shared.db.correcting``'s."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects.postgresql import distinct_on

from shared.db.tables import corrected_results, corrections
from shared.domain.correction import Author, CorrectedBox, Correction, CorrectionContent
from shared.domain.detection import Box, Kind
from shared.domain.json_forms import outcome_from_json
from shared.domain.verdict import Decision, Verdict


def in_force(connection: Connection, job_id: UUID) -> dict[int, Correction]:
    """The newest correction of each corrected page, by page number."""
    rows = connection.execute(
        select(corrections)
        .where(corrections.c.job_id == job_id)
        .ext(distinct_on(corrections.c.page_number))
        .order_by(corrections.c.page_number, corrections.c.version.desc())
    )
    return {row.page_number: _to_correction(row) for row in rows}


def history(connection: Connection, job_id: UUID, page_number: int) -> list[Correction]:
    """All corrections of a page, newest first."""
    rows = connection.execute(
        select(corrections)
        .where(corrections.c.job_id == job_id, corrections.c.page_number == page_number)
        .order_by(corrections.c.version.desc())
    )
    return [_to_correction(row) for row in rows]


def corrected_decision(connection: Connection, job_id: UUID) -> Decision | None:
    """The decision with people's boxes, as written with the last correction; None when nobody corrected the job."""
    row = connection.execute(select(corrected_results).where(corrected_results.c.job_id == job_id)).one_or_none()
    if row is None:
        return None
    outcomes = tuple(outcome_from_json(one) for one in row.requirement_outcomes)
    return Decision(Verdict(row.verdict), row.signature_count, outcomes)


def boxes_to_rows(content: CorrectionContent) -> list[dict[str, Any]]:
    """The boxes as the table keeps them."""
    return [
        {
            "kind": one.kind.value,
            "x": one.box.x,
            "y": one.box.y,
            "width": one.box.width,
            "height": one.box.height,
            "detection": one.detection,
        }
        for one in content.boxes
    ]


def _to_correction(row: Row[Any]) -> Correction:
    boxes = tuple(
        CorrectedBox(Kind(one["kind"]), Box(one["x"], one["y"], one["width"], one["height"]), one["detection"])
        for one in row.boxes
    )
    author = Author(row.author_id, row.author_name)
    return Correction(row.page_number, row.version, author, row.saved_at, CorrectionContent(boxes, row.no_signature))
