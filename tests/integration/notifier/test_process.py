"""The notifier as its operator runs it."""

import signal
import subprocess
import sys
import time
import urllib.request

import pytest

from tests.integration.db.stories import wait_for
from tests.servers import Servers
from tests.system import free_port


@pytest.mark.parametrize("broker_is_away", [False, True])
def test_it_serves_metrics_and_stops_soon(
    monkeypatch: pytest.MonkeyPatch, servers: Servers, broker_is_away: bool
) -> None:
    port = free_port()
    monkeypatch.setenv("PARAPHE_NOTIFIER_METRICS_PORT", str(port))
    process = subprocess.Popen([sys.executable, "-m", "services.notifier"], stderr=subprocess.PIPE, text=True)

    def measures() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2) as answer:
                return 'paraphe_events_total{kind="job.succeeded"} 0.0' in answer.read().decode()
        except OSError:
            return False

    try:
        wait_for(measures, within_s=20)
        if broker_is_away:
            servers.valkey.kill()
            time.sleep(1)
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0, said
    assert time.monotonic() - asked < 5
    assert said.count("loop is failing") == broker_is_away, "one outage, one line"
