"""Dashboards: made from their source, and every panel asks Prometheus something it can answer."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.exported import exported
from tests.deploy.promql import grouped_by, selectors
from tests.deploy.tools import DEPLOY, run

GRAFANA = DEPLOY / "grafana"
FILES = sorted((GRAFANA / "dashboards").glob("*.json"))
_VARIABLES = {"$__rate_interval": "1m", "$__range": "1h"}


def panels() -> Iterator[Any]:
    for file in FILES:
        for panel in json.loads(file.read_text())["panels"]:
            if panel["type"] != "row":
                yield pytest.param(panel, id=f"{file.stem}: {panel['title']}")


def queries(panel: dict[str, Any]) -> list[str]:
    found = [target["expr"] for target in panel["targets"]]
    for name, value in _VARIABLES.items():
        found = [expr.replace(name, value) for expr in found]
    return found


def test_there_are_two_made_from_their_source() -> None:
    assert len(FILES) == 2
    run([sys.executable, GRAFANA / "build_dashboards.py", "--check"])


def test_every_query_parses(tmp_path: Path) -> None:
    every = [expr for parameter in panels() for expr in queries(parameter.values[0])]
    rules = [{"record": f"panel:query:{number}", "expr": expr} for number, expr in enumerate(every)]
    (tmp_path / "queries.yml").write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    assert f"{len(every)} rules found" in run(["promtool", "check", "rules", tmp_path / "queries.yml"])


@pytest.mark.parametrize("panel", list(panels()))
def test_a_panel_asks_for_what_is_exported(panel: dict[str, Any]) -> None:
    known = exported()
    for expr in queries(panel):
        assert "$" not in expr, expr
        named = list(selectors(expr))
        for name, labels in named:
            assert name in known, name
            assert labels <= known[name], (name, labels - known[name])
        assert grouped_by(expr) <= set().union(*(known[name] for name, _ in named))


def test_everything_exported_is_shown_somewhere() -> None:
    """A metric nobody looks at is either missing from a dashboard or not worth exporting."""
    shown = {name for parameter in panels() for expr in queries(parameter.values[0]) for name, _ in selectors(expr)}
    bases = {_base(name) for name in shown}
    assert {name for name in exported() if name.startswith("paraphe_") and _base(name) not in bases} == set()


def _base(series: str) -> str:
    for suffix in ("_bucket", "_sum", "_count"):
        series = series.removesuffix(suffix)
    return series


def test_panels_use_the_data_source_that_is_provisioned() -> None:
    source = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())["datasources"][0]["uid"]
    assert {parameter.values[0]["datasource"]["uid"] for parameter in panels()} == {source}
