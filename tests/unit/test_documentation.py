"""What the documentation says of settings, error codes and links is so."""

import re
from pathlib import Path

import pytest

from paraphe import metrics_reference
from paraphe.model_results import as_markdown as results_as_markdown
from paraphe.settings_reference import as_markdown
from services.gateway.problems import ProblemCode
from shared.domain.errors import ErrorCode

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def test_the_settings_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "settings.md").read_text().rstrip() == as_markdown().rstrip(), (
        "run: paraphe settings --markdown > docs/settings.md"
    )


def test_the_readme_s_figures_are_the_newest_model_s() -> None:
    newest = max((ROOT / "models" / "signatures").iterdir(), key=lambda folder: int(folder.name))
    table = results_as_markdown(newest)
    assert table in (ROOT / "README.md").read_text(), f"run: paraphe model show {newest.relative_to(ROOT)} --markdown"


def test_the_metrics_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "metrics.md").read_text().rstrip() == metrics_reference.as_markdown().rstrip(), (
        "run: paraphe metrics --markdown > docs/metrics.md"
    )


def test_every_failure_a_job_may_have_is_documented() -> None:
    page = (ROOT / "docs" / "errors.md").read_text()
    assert [code for code in ErrorCode if f"`{code}`" not in page] == []


def test_every_refusal_of_a_request_is_documented() -> None:
    page = (ROOT / "docs" / "errors.md").read_text().split("## Requests")[1]
    assert [code for code in ProblemCode if f"`{code}`" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_named_files_exist(page: Path) -> None:
    text = page.read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    named = re.findall(r"`((?:services|shared|paraphe|tests|docs|deploy|samples|benchmarks|models)/[\w./-]+)`", text)
    missing = [link for link in links if not (page.parent / link).exists()]
    missing += [name for name in named if not (ROOT / name).exists()]
    assert missing == []
