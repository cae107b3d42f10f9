"""The JSON forms of domain values, the same in the database, the API, events and the client."""

from typing import Any

from shared.domain.detection import Box, Detection, Page
from shared.domain.verdict import RequirementOutcome, Requirements, Zone


def box_to_json(box: Box) -> dict[str, float]:
    """``{"x", "y", "width", "height"}``."""
    return {"x": box.x, "y": box.y, "width": box.width, "height": box.height}


def requirements_to_json(requirements: Requirements) -> dict[str, Any]:
    """``{"min_signatures", "zones": [{"page", "box": [x0, y0, x1, y1], "min"}]}`` with boxes as two corners, 0..1."""
    zones = [{"page": zone.page, "box": list(zone.box.corners), "min": zone.min} for zone in requirements.zones]
    return {"min_signatures": requirements.min_signatures, "zones": zones}


def requirements_from_json(value: dict[str, Any]) -> Requirements:
    """The inverse of ``requirements_to_json``; the value has been validated by whoever took it in."""
    zones = (Zone(zone["page"], Box.of_corners(*zone["box"]), zone.get("min", 1)) for zone in value.get("zones", ()))
    return Requirements(value.get("min_signatures", 1), tuple(zones))


def outcome_to_json(outcome: RequirementOutcome) -> dict[str, Any]:
    """``{"zone": index | null, "required", "found", "found_with_review", "state"}``."""
    return {
        "zone": outcome.zone,
        "required": outcome.required,
        "found": outcome.found,
        "found_with_review": outcome.found_with_review,
        "state": outcome.state.value,
    }


def outcome_from_json(value: dict[str, Any]) -> RequirementOutcome:
    """The inverse of ``outcome_to_json``."""
    return RequirementOutcome(value["zone"], value["required"], value["found"], value["found_with_review"])


def detection_to_json(detection: Detection, page: Page) -> dict[str, Any]:
    """``{"id", "kind", "confidence", "box", "box_normalized"}``."""
    return {
        "id": detection.id,
        "kind": detection.kind.value,
        "confidence": round(detection.confidence, 4),
        "box": {key: round(value, 2) for key, value in box_to_json(detection.box).items()},
        "box_normalized": {
            key: round(value, 6)
            for key, value in box_to_json(detection.box.normalized(page.width, page.height)).items()
        },
    }


def page_to_json(page: Page) -> dict[str, Any]:
    """``{"number", "width", "height", "tone", "detections": [...]}``."""
    return {
        "number": page.number,
        "width": page.width,
        "height": page.height,
        "tone": page.tone.value if page.tone else None,
        "detections": [detection_to_json(one, page) for one in page.detections],
    }
