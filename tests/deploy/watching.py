"""Prometheus, Alertmanager and a mail server, as deploy/ configures them, on loopback."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import yaml

from paraphe.local.process import ChildProcess, ProcessSpec
from tests import loopback
from tests.deploy.tools import DEPLOY, ROOT, alertmanager_command, tool
from tests.system import System, free_port

RULES = DEPLOY / "prometheus/rules/paraphe.yml"
MAIL_TO = "operators@example.org"


def until(is_so: Callable[[], Any], within_s: float, what: str) -> Any:
    """Wait for something true and return it."""
    deadline = monotonic() + within_s
    while not (found := is_so()):
        assert monotonic() < deadline, f"not within {within_s:.0f} s: {what}"
        sleep(0.2)
    return found


@dataclass
class Watch:
    """What watches the system, and what has reached the receivers."""

    prometheus: str
    alertmanager: str
    rules: Path
    mailbox: Path

    def query(self, expr: str) -> list[dict[str, Any]]:
        """The series an expression has now. A refused expression fails."""
        answer = loopback.get(f"{self.prometheus}/api/v1/query", params={"query": expr}, timeout=10).json()
        assert answer["status"] == "success", (expr, answer)
        result = answer["data"]["result"]
        return list(result) if answer["data"]["resultType"] == "vector" else [result]

    def reload_rules(self, text: str) -> None:
        """Put other rules in place."""
        self.rules.write_text(text)
        loopback.post(f"{self.prometheus}/-/reload", timeout=10).raise_for_status()

    def mail(self, status: str, alert: str) -> str:
        """The first message about an alert in a state, or nothing."""
        texts = (path.read_text() for path in sorted((self.mailbox / "new").glob("*")))
        return next((text for text in texts if f"Subject: [{status.upper()}] {alert} " in text), "")


@contextmanager
def watching(system: System, folder: Path) -> Iterator[Watch]:
    """Everything started and ready; ended afterwards."""
    prometheus, alertmanager, smtp = (free_port() for _ in range(3))
    rules, mailbox = folder / "rules/paraphe.yml", folder / "mail"
    rules.parent.mkdir()
    rules.write_text(RULES.read_text())
    watch = Watch(f"http://127.0.0.1:{prometheus}", f"http://127.0.0.1:{alertmanager}", rules, mailbox)
    (folder / "alertmanager.yml").write_text(_alertmanager_config(system, smtp, folder))
    (folder / "prometheus.yml").write_text(_prometheus_config(system, rules, alertmanager))
    with ExitStack() as stack:
        commands = {
            "mail": _mail_command(smtp, mailbox),
            "alertmanager": _alertmanager_command(alertmanager, folder),
            "prometheus": _prometheus_command(prometheus, folder),
        }
        for name, command in commands.items():
            process = ChildProcess(
                ProcessSpec(name, command, folder / f"{name}.log", folder / f"{name}.json", os.environ)
            )
            process.spawn()
            stack.callback(process.kill, whole_group=True)
        for url in (watch.alertmanager, watch.prometheus):
            until(lambda url=url: _is_ready(url), 30, f"{url} ready")
        yield watch


def _is_ready(url: str) -> bool:
    try:
        return loopback.get(f"{url}/-/ready", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def _prometheus_config(system: System, rules: Path, alertmanager: int) -> str:
    """The configuration as it is, intervals and all, with addresses of loopback for the names that Compose resolves."""
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    config["rule_files"] = [str(rules)]
    config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{alertmanager}"]
    jobs = []
    for job in config["scrape_configs"]:
        service = job["job_name"].removeprefix("paraphe-")
        if service in system.processes:
            jobs.append({"job_name": job["job_name"], "static_configs": [{"targets": [_address(system, service)]}]})
    config["scrape_configs"] = jobs
    return yaml.safe_dump(config)


def _address(system: System, service: str) -> str:
    kind = "PORT" if service == "gateway" else "METRICS_PORT"
    return f"127.0.0.1:{system.processes[service].spec.env[f'PARAPHE_{service.upper()}_{kind}']}"


def _alertmanager_config(system: System, smtp: int, folder: Path) -> str:
    token = folder / "token"
    token.write_text(system.environment["PARAPHE_ALERTS_TOKEN"])
    environment = {
        "ALERT_TEMPLATE": str(DEPLOY / "alertmanager/alertmanager.yml.template"),
        "ALERT_SMTP_HOST": f"127.0.0.1:{smtp}",
        "ALERT_SMTP_SECURITY": "none",
        "ALERT_MAIL_FROM": "paraphe@example.org",
        "ALERT_MAIL_TO": MAIL_TO,
        "ALERT_WEBHOOK_URL": f"http://127.0.0.1:{system.environment['PARAPHE_ALERTS_PORT']}/alerts",
        "ALERT_WEBHOOK_TOKEN": token.read_text(),
    }
    command = ["/bin/sh", DEPLOY / "alertmanager/start.sh", "--print"]
    config = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=10).stdout
    # Only how long the news of an end is held back; the first message takes as long as it does.
    return config.replace("group_interval: 2m", "group_interval: 5s").replace("/tmp/webhook-token", str(token))


def _mail_command(port: int, mailbox: Path) -> tuple[str, ...]:
    python = ROOT / ".venv-deploy/bin/python"
    return (
        str(python),
        "-m",
        "aiosmtpd",
        "-n",
        "-l",
        f"127.0.0.1:{port}",
        "-c",
        "aiosmtpd.handlers.Mailbox",
        str(mailbox),
    )


def _alertmanager_command(port: int, folder: Path) -> tuple[str, ...]:
    return (
        *alertmanager_command(),
        f"--config.file={folder}/alertmanager.yml",
        f"--storage.path={folder}/alertmanager",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    )


def _prometheus_command(port: int, folder: Path) -> tuple[str, ...]:
    return (
        tool("prometheus"),
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/prometheus",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-lifecycle",
    )
