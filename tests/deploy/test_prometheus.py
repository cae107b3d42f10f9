"""Alert rules: well-formed, tested both ways, about metrics that exist, each with a page that says what to do."""

import importlib.machinery
import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.notifier.metrics import _OTHER_CODE
from shared.domain.errors import OUR_CODES, ErrorCode
from tests.deploy.exported import exported
from tests.deploy.promql import counted, grouped_by, selectors
from tests.deploy.tools import DEPLOY, ROOT, run

RULES = DEPLOY / "prometheus/rules/paraphe.yml"
UNIT_TESTS = sorted((DEPLOY / "prometheus/tests").glob("*_test.yml"))
_DOCUMENT_CODES_END = ErrorCode.PAGE_OUT_OF_RANGE


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


ALERTS = [pytest.param(rule, id=rule["alert"]) for rule in rules()]


def test_the_configuration_is_valid(tmp_path: Path) -> None:
    config = (DEPLOY / "prometheus/prometheus.yml").read_text()
    (tmp_path / "prometheus.yml").write_text(config.replace("/etc/prometheus/rules", str(RULES.parent)))
    assert f"{len(ALERTS)} rules found" in run(["promtool", "check", "config", tmp_path / "prometheus.yml"])


@pytest.mark.parametrize("file", UNIT_TESTS, ids=lambda file: file.stem)
def test_every_unit_test_of_the_rules_passes(file: Path) -> None:
    assert "SUCCESS" in run(["promtool", "test", "rules", file])


@pytest.mark.parametrize("rule", ALERTS)
def test_an_alert_is_shown_to_fire_and_not_to(rule: dict[str, Any]) -> None:
    cases = [
        case
        for file in UNIT_TESTS
        for group in yaml.safe_load(file.read_text())["tests"]
        for case in group["alert_rule_test"]
        if case["alertname"] == rule["alert"]
    ]
    assert any(case["exp_alerts"] for case in cases), "no case in which it fires"
    assert any(not case["exp_alerts"] for case in cases), "no case in which it stays silent"


@pytest.mark.parametrize("rule", ALERTS)
def test_an_alert_says_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["runbook"] == f"docs/runbooks/{rule['alert']}.md"
    listed = (ROOT / "docs/runbooks/README.md").read_text()
    assert f"| [{rule['alert']}]({rule['alert']}.md) | {rule['labels']['severity']} |" in listed
    page = (ROOT / rule["annotations"]["runbook"]).read_text()
    assert f"*{rule['labels']['severity']}*" in page
    assert all(part in page for part in ("**What it means.**", "**Look.**", "**Do.**"))


@pytest.mark.parametrize("rule", ALERTS)
def test_an_alert_names_only_what_is_exported(rule: dict[str, Any]) -> None:
    known = exported()
    named = list(selectors(rule["expr"]))
    assert named
    for name, labels in named:
        assert name in known, name
        assert labels <= known[name], (name, labels - known[name])
    assert grouped_by(rule["expr"]) <= set().union(*(known[name] for name, _ in named))


@pytest.fixture(scope="module")
def at_start() -> list[tuple[str, dict[str, str]]]:
    """The series of services that have just started: of a fresh process, in which nothing was counted yet."""
    code = "import json; from tests.deploy.exported import at_start; print(json.dumps([s[:2] for s in at_start()]))"
    return [(name, labels) for name, labels in json.loads(run([sys.executable, "-c", code]))]


@pytest.mark.parametrize("rule", ALERTS)
def test_what_an_alert_counts_is_there_from_the_start(
    rule: dict[str, Any], at_start: list[tuple[str, dict[str, str]]]
) -> None:
    """The growth of a series that appears with its first count is nothing: the first failure would not be seen."""
    for series in counted(rule["expr"]):
        for one in series.each_alternative():
            assert any(one.takes(name, labels) for name, labels in at_start), one


def test_every_runbook_belongs_to_an_alert() -> None:
    pages = {page.stem for page in (ROOT / "docs/runbooks").glob("*.md")} - {"README"}
    assert pages == {rule["alert"] for rule in rules()}


def test_our_own_failures_are_the_codes_that_are_ours() -> None:
    """A code added to the domain must be sorted: the document's fault, or ours."""
    codes = list(ErrorCode)
    ours = set(codes[codes.index(_DOCUMENT_CODES_END) + 1 :])
    assert ours == OUR_CODES
    ours.add(_OTHER_CODE)
    for alert in ("ParapheJobFailed", "ParapheDocumentsRejected"):
        expr = next(rule["expr"] for rule in rules() if rule["alert"] == alert)
        listed = re.findall(r'code[!=]~"([^"]+)"', expr)[0].split("|")
        assert set(listed) == ours, alert


def test_kubernetes_has_the_same_rules() -> None:
    loader = importlib.machinery.SourceFileLoader("render", str(DEPLOY / "render-prometheus-rule"))
    spec = importlib.util.spec_from_loader("render", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    assert (DEPLOY / "k8s/components/monitoring/prometheus-rule.yaml").read_text() == module.rendered(), (
        "run deploy/render-prometheus-rule"
    )
    assert yaml.safe_load(module.rendered())["spec"]["groups"] == yaml.safe_load(RULES.read_text())["groups"]
