"""The chain for real: services, a failure, Prometheus, the rule, Alertmanager, a letter, and its record."""

from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import yaml
from sqlalchemy import text

from paraphe.local.process import ChildProcess
from shared.objects import ObjectStore
from shared.settings import ObjectsSettings
from tests import loopback
from tests.deploy.exported import exported
from tests.deploy.promql import selectors
from tests.deploy.test_grafana import panels, queries
from tests.deploy.tools import DEPLOY
from tests.deploy.watching import RULES, Watch, until, watching
from tests.servers import Servers
from tests.system import QUICK_RECOVERY, SAMPLES, System, free_port

# The alert must have reached people by then, counted from the job's failure, with the intervals we ship.
_WITHIN_S = 60
_ALERT = "ParapheJobFailed"
# Empty unless what they are about has happened; no node exporter runs here.
_EMPTY_WHEN_ALL_IS_WELL = {"Why documents fail", "Disk free"}


@pytest.fixture
def system(clean_servers: Servers, tmp_path: Path) -> Iterator[System]:
    """All services, running; one detector thread each way is plenty."""
    system = System(clean_servers, tmp_path, _settings())
    try:
        system.start("gateway", "detector", "notifier", "reconciler")
        yield system
    finally:
        system.stop()


def _settings() -> dict[str, str]:
    # The notifier is not told of Alertmanager: it would raise its own alert first, and silence the one we wait for.
    inbox = {"PARAPHE_ALERTS_PORT": str(free_port()), "PARAPHE_ALERTS_TOKEN": "a-token"}
    return {**QUICK_RECOVERY, **inbox, "PARAPHE_DETECTOR_THREADS": "2"}


@pytest.mark.timeout(400)
def test_a_failure_is_heard_of_and_so_is_its_end(system: System, tmp_path: Path) -> None:
    with watching(system, tmp_path) as watch:
        _remember_a_month(system)
        _work_a_little(system)
        until(lambda: len(watch.query('up{job=~"paraphe-.+"} == 1')) == 4, 60, "all four scraped")
        _panels_have_answers(watch)
        _the_scaler_counts_what_there_is(system)
        failed_at = _fail_a_job(system)
        mail = until(lambda: watch.mail("firing", _ALERT), _WITHIN_S - (monotonic() - failed_at), "the letter")
        alert = until(lambda: _recorded(system, "firing"), _WITHIN_S - (monotonic() - failed_at), "the record")
        print(f"heard of after {monotonic() - failed_at:.1f} s")
        assert "document_missing" in mail
        assert f"docs/runbooks/{_ALERT}.md" in mail
        assert alert["severity"] == "critical"
        # Five minutes after the last failure it ends; here after half a one.
        watch.reload_rules(RULES.read_text().replace("[5m]", "[30s]"))
        until(lambda: watch.mail("resolved", _ALERT), 120, "the letter that it is over")
        until(lambda: _recorded(system, "resolved"), 30, "the record that it is over")
        assert not [name for name in _firing(watch) if name != _ALERT]


def _work_a_little(system: System) -> None:
    samples = sorted(path for path in SAMPLES.iterdir() if path.suffix != ".json")
    system.wait_for_outcomes(system.submit_many(samples), 90)


def _remember_a_month(system: System) -> None:
    """A backup, and hours that a reconciler has summed up: drift is only shown where there is enough to say."""
    hours = text(
        "insert into model_hours (model, version, hour, pages, changed_pages, confidences)"
        " select 'signatures', '1', date_trunc('hour', now()) - days * interval '1 day' - interval '2 hours', 1000, 20,"
        " '{0,9,9,9,9,9,9,90,300,500}' from generate_series(0, 30) days"
    )
    backup = text("insert into backups (id, made_at, jobs, objects, bytes) values (gen_random_uuid(), now(), 1, 1, 1)")
    with system.engine.begin() as connection:
        connection.execute(hours)
        connection.execute(backup)


def _panels_have_answers(watch: Watch) -> None:
    """Every query of every panel is one Prometheus answers, with something, once there was some work."""
    wanted = [parameter.values[0] for parameter in panels()]
    wanted = [panel for panel in wanted if panel["title"] not in _EMPTY_WHEN_ALL_IS_WELL]
    for panel in wanted:
        for expr in queries(panel):
            until(lambda expr=expr: watch.query(expr), 60, f"{panel['title']}: {expr}")
    for rule in _rules():
        watch.query(rule["expr"])
    named = {name for panel in wanted for expr in queries(panel) for name, _ in selectors(expr)}
    assert len(named) > 30
    ours = {series["metric"]["__name__"] for series in watch.query('count by (__name__) ({__name__=~"paraphe_.+"})')}
    assert {name for name in ours if not name.endswith("_created")} <= exported().keys(), "docs/metrics.md lacks some"


def _the_scaler_counts_what_there_is(system: System) -> None:
    manifests = yaml.safe_load_all((DEPLOY / "k8s/components/autoscaling/detector-scaling.yaml").read_text())
    (trigger,) = next(each for each in manifests if each["kind"] == "ScaledObject")["spec"]["triggers"]
    with system.engine.begin() as connection:
        assert connection.execute(text(trigger["metadata"]["query"])).scalar_one() == 0


def _fail_a_job(system: System) -> float:
    """An accepted document disappears from the store: no attempt can succeed. Returns when the job had failed."""
    detector = system.processes["detector"]
    detector.stop(30)
    job = system.submit(next(SAMPLES.glob("*.png")))
    ObjectStore(ObjectsSettings()).delete_under("documents/")
    system.processes["detector"] = ChildProcess(detector.spec)  # the same address: Prometheus looks there
    system.processes["detector"].spawn()
    until(lambda: _state(system, job) == "failed", 60, "the job has failed")
    return monotonic()


def _state(system: System, job: str) -> str:
    with system.engine.begin() as connection:
        return str(connection.execute(text("select state from jobs where id = :id"), {"id": job}).scalar_one())


def _recorded(system: System, state: str) -> dict[str, Any] | None:
    """The alert as it is shown to administrators."""
    answer = loopback.get(f"{system.url}/v1/alerts", headers={"Authorization": f"Bearer {system.key}"}, timeout=10)
    shown = [alert for alert in answer.json()["alerts"] if alert["name"] == _ALERT and alert["state"] == state]
    return shown[0] if shown else None


def _rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def _firing(watch: Watch) -> list[str]:
    return [series["metric"]["alertname"] for series in watch.query('ALERTS{alertstate="firing"}')]
