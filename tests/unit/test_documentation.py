"""What the documentation says of settings, error codes, figures, commands and links is so."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from ipaddress import ip_address
from pathlib import Path

import pytest
import typer

from paraphe import metrics_reference
from paraphe.cli.main import app
from paraphe.model_results import as_markdown as results_as_markdown
from paraphe.model_results import rows
from paraphe.settings_reference import as_markdown
from services.gateway.problems import ProblemCode
from services.notifier.channels.addresses import AddressPolicy, AddressRefusedError, GuardedNetwork
from shared.domain.errors import ErrorCode

ROOT = Path(__file__).parents[2]
WITH_PAGES = ("docs", "samples", "benchmarks", "models", "services")
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in WITH_PAGES for page in ROOT.glob(f"{folder}/**/*.md"))])
FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)


def test_the_settings_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "settings.md").read_text().rstrip() == as_markdown().rstrip(), (
        "run: paraphe settings --markdown > docs/settings.md"
    )


def test_the_readme_s_figures_are_the_newest_model_s() -> None:
    newest = max((ROOT / "models" / "signatures").iterdir(), key=lambda folder: int(folder.name))
    table = results_as_markdown(newest)
    assert table in (ROOT / "README.md").read_text(), f"run: paraphe model show {newest.relative_to(ROOT)} --markdown"


@pytest.mark.parametrize(
    ("row", "model"),
    [("version 17", "signatures/17"), ("`signatures-fast` 14", "signatures-fast/14")],
)
def test_the_model_card_compares_by_the_recorded_figures(row: str, model: str) -> None:
    _, _, _, _, _, *figures = next(rows(ROOT / "models" / model))
    card = (ROOT / "docs" / "model-card.md").read_text()
    assert f"| {row} | {' / '.join(figures)} |" in card


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


def test_the_runbook_on_webhooks_quotes_what_is_logged() -> None:
    network = GuardedNetwork(AddressPolicy(), 1.0, lambda *_: [ip_address("10.0.0.1")])
    with pytest.raises(AddressRefusedError) as refused:
        network.connect_tcp("hooks.example.org", 443)
    quoted = str(refused.value).replace("hooks.example.org", "…").replace("10.0.0.1", "…")
    assert quoted in (ROOT / "docs" / "runbooks" / "ParapheWebhooksFailing.md").read_text()


def test_who_looks_through_the_logs_of_all_pods_sees_all_of_them() -> None:
    """Of pods chosen by a label kubectl shows the last ten lines unless told otherwise."""
    commands = re.findall(r"kubectl[^`]* logs -l[^`]*", "".join(page.read_text() for page in PAGES))
    assert commands
    assert [command for command in commands if "--tail=-1" not in command] == []


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not anchor or anchor in anchors(target))


@cache
def anchors(page: Path) -> set[str]:
    """What links may name on a page: its headings, as GitHub and GitLab spell them in addresses."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_named_files_exist(page: Path) -> None:
    text = page.read_text()
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    named = re.findall(r"`((?:services|shared|paraphe|tests|docs|deploy|samples|benchmarks|models)/[\w./-]+)`", text)
    missing = [link for link in links if not leads_somewhere(page, link)]
    missing += [name for name in named if not (ROOT / name).exists()]
    assert missing == []


def commands_in(text: str) -> Iterator[str]:
    """What follows `paraphe` wherever a page's code runs it: in each line of blocks, and in sentences."""
    lines = "\n".join(FENCED.findall(text)).replace("\\\n", " ").splitlines()
    spans = [span.replace("\n", " ") for span in re.findall(r"`([^`]+)`", FENCED.sub("", text))]
    for code in lines + spans:
        yield from re.findall(r"(?<![\w.-])(?<!-n )(?<!from )paraphe ([a-z][^|;&)]*)", code)


WITH_COMMANDS = [page for page in PAGES if any(commands_in(page.read_text()))]


def assert_understood(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line knows the command, and takes all that stands after it; a command may also merely be named."""
    command = typer.main.get_command(app)
    while isinstance(command, typer.core.TyperGroup) and words:
        assert words[0] in command.commands, f"no command {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    if words in ([], ["…"]):
        return
    for parameter in command.params:  # the files are the reader's own
        monkeypatch.setattr(parameter.type_descriptor.parameter_info, "exists", False)
    command.make_context("paraphe", words)


def test_commands_are_found_wherever_pages_have_them() -> None:
    found = set(commands_in("`paraphe jobs list`, see\n```\nKEY=k bin/paraphe submit a.pdf | jq\n```\n"))
    assert {command.strip() for command in found} == {"jobs list", "submit a.pdf"}
    assert ROOT / "README.md" in WITH_COMMANDS


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_are_written_as_the_command_line_takes_them(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAPHE_PASSWORD", "else it is asked for")
    for command in commands_in(page.read_text()):
        try:
            assert_understood(shlex.split(command, comments=True), monkeypatch)
        except typer.exceptions.TyperException as error:
            pytest.fail(f"paraphe {command}: {error}")
