"""A real Alertmanager as we configure it: told by the notifier it mails, tells the notifier, and ends it."""

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from paraphe.local.process import ChildProcess, ProcessSpec
from services.notifier.settings import AlertSettings
from shared import dispatch
from shared.db import alerts, jobs
from shared.db.outbox import Message, Topic
from shared.domain.alert import AlertState
from shared.queue import Publisher
from tests import loopback
from tests.deploy.tools import alertmanager_command
from tests.integration.db.stories import Stories, wait_for
from tests.integration.notifier.conftest import RunningNotifier
from tests.integration.notifier.mailbox import Mailbox
from tests.system import free_port

DEPLOY = Path(__file__).parents[3] / "deploy" / "alertmanager"
TOKEN = "an alert token"

pytestmark = pytest.mark.deploy


@dataclass
class Alertmanager:
    url: str
    inbox_port: int


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox().start()
    yield box
    box.stop()


@pytest.fixture
def alertmanager(tmp_path: Path, mailbox: Mailbox) -> Iterator[Alertmanager]:
    """Running. Only the waits that collect alerts into one message are shorter."""
    port, inbox_port = free_port(), free_port()
    environment = {
        "ALERT_TEMPLATE": str(DEPLOY / "alertmanager.yml.template"),
        "ALERT_SMTP_HOST": f"localhost:{mailbox.port}",
        "ALERT_SMTP_SECURITY": "none",
        "ALERT_MAIL_FROM": "alertmanager@example.net",
        "ALERT_MAIL_TO": "operators@example.org",
        "ALERT_WEBHOOK_URL": f"http://127.0.0.1:{inbox_port}/alerts",
        "ALERT_WEBHOOK_TOKEN": TOKEN,
    }
    written = subprocess.run(
        ["/bin/sh", DEPLOY / "start.sh", "--print"], env=environment, capture_output=True, text=True, check=True
    ).stdout
    (tmp_path / "token").write_text(TOKEN)
    for shipped, here in (
        ("group_wait: 10s", "group_wait: 1s"),
        ("group_interval: 2m", "group_interval: 1s"),
        ("/tmp/webhook-token", str(tmp_path / "token")),
    ):
        assert shipped in written
        written = written.replace(shipped, here)
    (tmp_path / "alertmanager.yml").write_text(written)
    process = ChildProcess(_spec(tmp_path, port))
    process.spawn()
    url = f"http://127.0.0.1:{port}"
    wait_for(lambda: _is_ready(url), 30)
    yield Alertmanager(url, inbox_port)
    process.kill(whole_group=True)


def _spec(folder: Path, port: int) -> ProcessSpec:
    command = (
        *alertmanager_command(),
        f"--config.file={folder}/alertmanager.yml",
        f"--storage.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    )
    return ProcessSpec("alertmanager", command, folder / "alertmanager.log", folder / "alertmanager.json", os.environ)


def _is_ready(url: str) -> bool:
    try:
        return loopback.get(f"{url}/-/ready").status_code == 200
    except httpx.TransportError:
        return False


def test_a_job_given_up_is_heard_of_and_so_is_its_replay(
    stories: Stories,
    publisher: Publisher,
    start: Callable[..., RunningNotifier],
    alertmanager: Alertmanager,
    mailbox: Mailbox,
) -> None:
    settings = AlertSettings(
        manager_urls=(alertmanager.url,), raise_every_s=1.0, token=TOKEN, port=alertmanager.inbox_port
    )
    start(alerts=settings)
    job = stories.accept()
    failed = stories.fail(stories.claim(job), "attempts_exhausted", "The worker was lost on every attempt.")
    dispatch.send(publisher, [Message(Topic.EVENT, failed[0].subject)])

    firing = wait_for(lambda: stories.do(alerts.newest), 30)[0][1]
    assert (firing.name, firing.state, firing.severity) == ("ParapheJobGivenUp", AlertState.FIRING, "critical")
    mail = wait_for(lambda: mailbox.received, 20)[0]
    assert mail["Subject"] == "[FIRING] ParapheJobGivenUp (1)"
    assert str(job.id) in mail.get_body(("plain",)).get_content()

    stories.do(lambda c: jobs.replay(c, stories.client.id, job.id, stories.settings))
    wait_for(lambda: stories.do(alerts.newest)[0][1].state is AlertState.RESOLVED, 30)
    assert len(stories.do(alerts.newest)) == 1
    wait_for(lambda: any(mail["Subject"].startswith("[RESOLVED]") for mail in mailbox.received), 20)


def test_a_dead_delivery_hides_what_the_rule_says_of_it_and_not_a_disabled_address(alertmanager: Alertmanager) -> None:
    """Of an address that is switched off the rule is the only one to tell."""
    by_the_rule = {"alertname": "ParapheDeliveriesDead", "severity": "warning"}
    firing = [
        {"alertname": "ParapheDeliveryDead", "severity": "critical", "code": "email", "job": "paraphe-notifier"},
        {**by_the_rule, "channel": "mail", "state": "failed"},
        {**by_the_rule, "channel": "webhook", "state": "disabled"},
    ]
    alerts_api = f"{alertmanager.url}/api/v2/alerts"
    loopback.post(alerts_api, json=[{"labels": labels} for labels in firing]).raise_for_status()

    def states() -> dict[str, str]:
        found = loopback.get(alerts_api).json()
        return {one["labels"].get("state", "told by the notifier"): one["status"]["state"] for one in found}

    expected = {"told by the notifier": "active", "failed": "suppressed", "disabled": "active"}
    wait_for(lambda: states() == expected, 30)
