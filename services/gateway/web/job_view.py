"""What the job page shows of a job: levels of confidence, timings, the data its scripts work with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.gateway.correction_json import correction_to_json
from services.gateway.web.i18n import Translator
from shared.domain.correction import implied_thresholds
from shared.domain.detection import Detection, Kind, Page
from shared.domain.job import Job, JobFailure, JobResult
from shared.domain.json_forms import box_to_json
from shared.domain.verdict import Decision, RequirementOutcome, Requirements, Thresholds

_PREFIX = "job."


@dataclass(frozen=True, slots=True)
class RequirementLine:
    """One requirement in words, and how it stands."""

    text: str
    state: str


def script_texts(t: Translator) -> dict[str, str]:
    """The texts the scripts need, by their short keys."""
    return {key.removeprefix(_PREFIX): text for key, text in t.starting_with(_PREFIX).items()}


def level_of(found: Detection, thresholds: Thresholds) -> str:
    """``sure``, ``unsure`` (a person decides) or ``weak``; ``other`` for what never counts."""
    if found.kind is not Kind.SIGNATURE:
        return "other"
    if found.confidence >= thresholds.accept:
        return "sure"
    return "unsure" if found.confidence >= thresholds.review else "weak"


def pages_data(result: JobResult) -> list[dict[str, Any]]:
    """Every page with its boxes, those of the model and those of people."""
    thresholds = implied_thresholds(result.decision, result.pages)
    return [_page_data(result, page, thresholds) for page in result.pages]


def _page_data(result: JobResult, page: Page, thresholds: Thresholds) -> dict[str, Any]:
    correction = result.corrections.get(page.number)
    return {
        "number": page.number,
        "width": page.width,
        "height": page.height,
        "detections": [
            {
                "id": one.id,
                "kind": one.kind.value,
                "confidence": round(one.confidence, 4),
                "level": level_of(one, thresholds),
                "box": {key: round(value, 1) for key, value in box_to_json(one.box).items()},
            }
            for one in page.detections
        ],
        "correction": correction_to_json(correction, page) if correction else None,
    }


def first_page(pages: Sequence[dict[str, Any]]) -> int:
    """The page to begin with: one that needs a person, else one with something on it, else the first."""
    for page in pages:
        if page["correction"] is None and any(one["level"] == "unsure" for one in page["detections"]):
            return int(page["number"])
    for page in pages:
        if page["detections"] or page["correction"]:
            return int(page["number"])
    return int(pages[0]["number"]) if pages else 1


def requirement_lines(t: Translator, decision: Decision, requirements: Requirements) -> list[RequirementLine]:
    """Every requirement in words; the total only when something is asked of it."""
    return [
        RequirementLine(_requirement_text(t, one, requirements), one.state.value)
        for one in decision.requirements
        if one.zone is not None or one.required or not requirements.zones
    ]


def _requirement_text(t: Translator, outcome: RequirementOutcome, requirements: Requirements) -> str:
    found = t.count("job.requirement.found", outcome.found)
    if outcome.found_with_review > outcome.found:
        found += t.count("job.requirement.unsure", outcome.found_with_review - outcome.found)
    wanted = t.count("job.requirement.wanted", outcome.required)
    if outcome.zone is None:
        return t("job.requirement.line", wanted=wanted, found=found)
    number = requirements.zones[outcome.zone].page
    place = t("job.requirement.last") if number == -1 else t("job.requirement.zone", n=number)
    return t("job.requirement.line", wanted=f"{wanted} {place}", found=found)


def timing_lines(t: Translator, result: JobResult) -> list[tuple[str, str]]:
    """Each stage with how long it took."""
    timings = result.timings
    stages = ("queued", "fetched", "rendered", "inferred", "recorded")
    return [(t(f"job.timing.{name}"), t.duration(getattr(timings, name) / 1000)) for name in stages]


def failure_text(t: Translator, failure: JobFailure) -> str:
    """Why the job failed, in plain words of the reader's language."""
    key = f"failure.{failure.code}"
    return t(key) if t.has(key) else t("failure.other")


def shown_name(job: Job, t: Translator) -> str:
    """The document's name, or what stands in for one."""
    return job.document.filename or t("job.unnamed")
