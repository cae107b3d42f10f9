"""The JSON bodies of corrections."""

from typing import Any

from shared.domain.correction import Correction
from shared.domain.detection import Page
from shared.domain.job import Job
from shared.domain.json_forms import box_to_json, outcome_to_json, page_to_json
from shared.domain.verdict import Decision


def correction_to_json(correction: Correction, page: Page) -> dict[str, Any]:
    """One saved correction: ``{"version", "author", "saved_at", "no_signature", "boxes"}``."""
    return {
        "version": correction.version,
        "author": correction.author.name,
        "saved_at": correction.saved_at.isoformat(),
        "no_signature": correction.content.no_signature,
        "boxes": [
            {
                "kind": one.kind.value,
                "detection": one.detection,
                "box": _rounded(box_to_json(one.box), 2),
                "box_normalized": _rounded(box_to_json(one.box.normalized(page.width, page.height)), 6),
            }
            for one in correction.content.boxes
        ],
    }


def corrected_page_to_json(job: Job, page: Page, history: list[Correction]) -> dict[str, Any]:
    """A page as the model and as people see it; ``history`` is newest first."""
    assert job.result is not None
    corrected = job.result.corrected
    return {
        "job_id": str(job.id),
        **page_to_json(page),
        "correction": correction_to_json(history[0], page) if history else None,
        "history": [
            {"version": one.version, "author": one.author.name, "saved_at": one.saved_at.isoformat()} for one in history
        ],
        "corrected": decision_to_json(corrected) if corrected else None,
    }


def decision_to_json(decision: Decision) -> dict[str, Any]:
    """``{"verdict", "count", "requirements"}``."""
    return {
        "verdict": decision.verdict.value,
        "count": decision.count,
        "requirements": [outcome_to_json(one) for one in decision.requirements],
    }


def _rounded(box: dict[str, float], digits: int) -> dict[str, float]:
    return {key: round(value, digits) for key, value in box.items()}
