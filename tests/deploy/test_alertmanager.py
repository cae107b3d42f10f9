"""Alertmanager's configuration as start.sh writes it, with and without login and webhook."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy.tools import DEPLOY, run

_START = DEPLOY / "alertmanager/start.sh"
_NEEDED = {
    "ALERT_TEMPLATE": str(DEPLOY / "alertmanager/alertmanager.yml.template"),
    "ALERT_SMTP_HOST": "mail.example.org:587",
    "ALERT_MAIL_FROM": "paraphe@example.org",
    "ALERT_MAIL_TO": "operators@example.org",
}
_ALL = {
    "ALERT_SMTP_USER": "paraphe",
    "ALERT_SMTP_PASSWORD": "se|cr&t",
    "ALERT_WEBHOOK_URL": "http://receiver:9000/alerts?key=1",
    "ALERT_WEBHOOK_TOKEN": "tok|n",
}


def written(settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", _START, "--print"], env=_NEEDED | settings, capture_output=True, text=True, timeout=10, check=False
    )


@pytest.mark.parametrize("settings", [{}, _ALL, {"ALERT_SMTP_SECURITY": "none"}], ids=["least", "all", "plain"])
def test_what_start_writes_is_valid(settings: dict[str, str], tmp_path: Path) -> None:
    config = written(settings).stdout
    assert not any(secret in config for secret in ("se|cr&t", "tok|n"))
    assert not re.search(r"^[^#\n]*@[A-Z_]+@", config, re.MULTILINE), "a placeholder is left"
    (tmp_path / "alertmanager.yml").write_text(config)
    assert "SUCCESS" in run(["amtool", "check-config", tmp_path / "alertmanager.yml"])


def test_settings_reach_their_places() -> None:
    config = yaml.safe_load(written(_ALL).stdout)
    assert config["global"]["smtp_smarthost"] == "mail.example.org:587"
    assert config["global"]["smtp_auth_password_file"] == "/tmp/smtp-password"
    (webhook,) = config["receivers"][1]["webhook_configs"]
    assert webhook["url"] == _ALL["ALERT_WEBHOOK_URL"]
    assert webhook["http_config"]["authorization"]["credentials_file"] == "/tmp/webhook-token"


@pytest.mark.parametrize(("security", "required"), [("starttls", True), ("tls", False), ("none", False)])
def test_only_starttls_is_asked_for(security: str, required: bool) -> None:
    config = yaml.safe_load(written({"ALERT_SMTP_SECURITY": security}).stdout)
    assert config["global"]["smtp_require_tls"] is required


def test_values_arrive_as_they_are_set() -> None:
    odd = {"ALERT_SMTP_USER": r"CORP\par|a&ph\ne\\ \1", "ALERT_WEBHOOK_URL": 'http://receiver/?a="1|2"&b=2'}
    config = yaml.safe_load(written(odd).stdout)
    assert config["global"]["smtp_auth_username"] == odd["ALERT_SMTP_USER"]
    assert config["receivers"][1]["webhook_configs"][0]["url"] == odd["ALERT_WEBHOOK_URL"]


def test_nothing_is_written_while_an_address_is_missing() -> None:
    needed = {name: value for name, value in _NEEDED.items() if name != "ALERT_MAIL_TO"}
    done = subprocess.run(["/bin/sh", _START, "--print"], env=needed, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "ALERT_MAIL_TO" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [("severity=critical", "operators-and-paraphe"), ("severity=warning", "operators")],
)
def test_an_alert_finds_its_receiver(labels: str, receiver: str, tmp_path: Path) -> None:
    (tmp_path / "alertmanager.yml").write_text(written(_ALL).stdout)
    out = run(["amtool", "config", "routes", "test", f"--config.file={tmp_path}/alertmanager.yml", labels])
    assert out.strip() == receiver
