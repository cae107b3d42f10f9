"""Both languages say the same things, and each says them as it should."""

import re
from pathlib import Path

import pytest

from services.gateway.problems import ProblemCode
from services.gateway.web import i18n
from services.gateway.web.i18n import Translator, preferred, texts
from shared.db.audit import Action
from shared.domain.errors import ErrorCode
from shared.domain.job import JobState
from shared.domain.verdict import Verdict

_WEB = Path(i18n.__file__).parent
# What the submit page may be answered beside the faults of documents.
_ANSWERS_TO_A_FILE = (
    ProblemCode.UNAUTHENTICATED,
    ProblemCode.SCOPE_MISSING,
    ProblemCode.INVALID_REQUEST,
    ProblemCode.IDEMPOTENCY_MISMATCH,
    ProblemCode.LENGTH_MISMATCH,
    ProblemCode.RATE_LIMITED,
    ProblemCode.BACKLOG_FULL,
)
_NAMES = re.compile(r"\{(\w+)\}")


def test_the_languages_have_the_same_texts() -> None:
    assert texts("en").keys() == texts("fr").keys()


@pytest.mark.parametrize("key", sorted(texts("en")))
def test_the_texts_name_the_same_values(key: str) -> None:
    assert set(_NAMES.findall(texts("en")[key])) == set(_NAMES.findall(texts("fr")[key]))
    assert texts("en")[key].count("|") == texts("fr")[key].count("|")
    assert texts("fr")[key].strip()


def test_no_key_stands_in_two_files() -> None:
    for language in i18n.LANGUAGES:
        files = list((_WEB / "locales" / language).glob("*.json"))
        keys = [key for path in files for key in re.findall(r'^\s*"([^"]+)":', path.read_text(), re.MULTILINE)]
        assert sorted(keys) == sorted(set(keys))


def test_every_text_a_template_names_is_there() -> None:
    for path in (_WEB / "templates").glob("*.html"):
        for key in re.findall(r"""\bt(?:\.count)?\(["']([a-z_.]+)["'][,)]""", path.read_text()):
            assert key in texts("en"), f"{path.name}: {key}"


def test_every_outcome_and_every_fault_has_its_words() -> None:
    wanted = {f"verdict.{one}" for one in Verdict} | {f"state.{one}" for one in JobState}
    wanted |= {f"failure.{code}" for code in ErrorCode} | {f"action.{action}" for action in Action}
    wanted |= {f"failure.{code}" for code in _ANSWERS_TO_A_FILE}
    assert wanted <= texts("en").keys()


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "en"),
        ("fr", "fr"),
        ("fr-CH, fr;q=0.9, en;q=0.8", "fr"),
        ("en-US,en;q=0.9,fr;q=0.8", "en"),
        ("de, fr;q=0.3, en;q=0.2", "fr"),
        ("fr;q=nonsense", "fr"),
        (";;;,,,", "en"),
    ],
)
def test_a_browsers_wish_is_read(header: str, language: str) -> None:
    assert preferred(header) == language


def test_numbers_are_written_as_the_language_does() -> None:
    english, french = Translator("en"), Translator("fr")
    assert english.number(1234567.5, 1) == "1,234,567.5"
    assert french.number(1234567.5, 1) == "1\u202f234\u202f567,5"
    assert english.percent(0.835) == "84%"
    assert french.percent(0.5) == "50\u202f%"
    assert english.size(50 * 1024 * 1024) == "50\u00a0MB"
    assert french.size(1536) == "1,5\u00a0ko"
    assert english.size(999) == "999\u00a0B"
    assert [english.duration(value) for value in (0.25, 12.34, 300, 7200, 200_000)] == [
        "250\u00a0ms",
        "12.3\u00a0s",
        "5\u00a0min",
        "2\u00a0h",
        "2\u00a0d",
    ]
    assert french.duration(200_000) == "2\u00a0j"


def test_one_and_many() -> None:
    english, french = Translator("en"), Translator("fr")
    assert [english.count("submit.js.signatures", number) for number in (0, 1, 2)] == [
        "0 signatures",
        "1 signature",
        "2 signatures",
    ]
    assert [french.count("submit.js.signatures", number) for number in (0, 1, 2)] == [
        "0 signature",
        "1 signature",
        "2 signatures",
    ]
