"""What the job page makes of a job, and that its scripts find every text they ask for."""

import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from services.gateway.web import i18n, job_view
from services.gateway.web.i18n import Translator
from services.gateway.web.rendering import STATIC
from shared.domain.correction import Author, CorrectedBox, Correction, CorrectionContent
from shared.domain.detection import Box, Detection, Kind, Page
from shared.domain.errors import ErrorCode
from shared.domain.job import JobFailure, JobResult, Timings
from shared.domain.verdict import Requirements, Thresholds, Zone, decide

SCRIPTS = sorted((STATIC / "job").glob("*.js"))
LIMITS = Thresholds(0.5, 0.25)
# Texts whose keys the scripts put together.
MADE_UP = {
    *(f"kind.{kind}" for kind in Kind),
    *(f"level.{level}" for level in ("sure", "unsure", "weak", "other", "person")),
}


def page(number: int, *confidences: float, kind: Kind = Kind.SIGNATURE) -> Page:
    found = (Detection(f"p{number}-{i}", kind, one, Box(10, 10, 20, 10)) for i, one in enumerate(confidences))
    return Page(number, 100, 100, tuple(found))


def result(*pages: Page, corrected: tuple[int, ...] = (), asked: Requirements | None = None) -> JobResult:
    box = CorrectedBox(Kind.SIGNATURE, Box(1, 2, 3, 4))
    corrections = {
        number: Correction(number, 1, Author(uuid4(), "a"), datetime.now(UTC), CorrectionContent((box,), False))
        for number in corrected
    }
    decision = decide(pages, asked or Requirements(), LIMITS)
    return JobResult(decision, pages, "signatures", "1", Timings(1, 2, 3, 4, 5), corrections)


def levels(made: JobResult) -> list[list[str]]:
    return [[one["level"] for one in page["detections"]] for page in job_view.pages_data(made)]


def test_levels_are_those_that_decided() -> None:
    stamp = page(3, 0.9, kind=Kind.STAMP)
    assert levels(result(page(1, 0.9, 0.4, 0.1), page(2, 0.5, 0.25), stamp)) == [
        ["sure", "unsure", "weak"],
        ["sure", "unsure"],
        ["other"],
    ]


@pytest.mark.parametrize(
    ("made", "first"),
    [
        (result(page(1), page(2, 0.9), page(3, 0.4)), 3),
        (result(page(1), page(2, 0.9), page(3, 0.4), corrected=(3,)), 2),
        (result(page(1), page(2), corrected=(2,)), 2),
        (result(page(1), page(2)), 1),
    ],
)
def test_the_page_to_begin_with(made: JobResult, first: int) -> None:
    assert job_view.first_page(job_view.pages_data(made)) == first


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        ("en", ["2 signatures wanted: 1 found, 1 unsure", "1 signature wanted in the marked part of page 1: 0 found"]),
        (
            "fr",
            [
                "2 signatures attendues\u00a0: 1 trouvée, 1 incertaine",
                "1 signature attendue dans la zone de la page 1\u00a0: 0 trouvée",
            ],
        ),
    ],
)
def test_requirements_in_words(language: str, lines: list[str]) -> None:
    asked = Requirements(2, (Zone(1, Box(0.8, 0.8, 0.2, 0.2)),))
    made = result(page(1, 0.9, 0.4), asked=asked)
    found = job_view.requirement_lines(Translator(language), made.decision, asked)
    assert [(one.text, one.state) for one in found] == list(zip(lines, ["review", "not_met"], strict=True))


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_every_failure_is_told_in_plain_words(language: str) -> None:
    t = Translator(language)
    for code in ErrorCode:
        assert job_view.failure_text(t, JobFailure(code, "detail")) == t(f"failure.{code}")
    assert job_view.failure_text(t, JobFailure("of_next_year", "detail")) == t("failure.other")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_scripts_find_their_texts(language: str, script: Path) -> None:
    texts = job_view.script_texts(Translator(language))
    asked = set(re.findall(r'\b(?:t|count)\(\s*"([\w.]+)"', script.read_text())) | MADE_UP
    assert asked - texts.keys() == set()


def test_scripts_ask_for_texts_at_all() -> None:
    """So that the test above cannot succeed by finding none."""
    assert sum(len(re.findall(r'\bt\(\s*"', script.read_text())) for script in SCRIPTS) > 30
