"""The reconciler as its operator runs it."""

import signal
import subprocess
import sys
import time
import urllib.request

import pytest

from tests.integration.db.stories import wait_for
from tests.system import free_port


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_metrics_and_stops_at_once(monkeypatch: pytest.MonkeyPatch, number: signal.Signals) -> None:
    port = free_port()
    monkeypatch.setenv("PARAPHE_RECONCILER_METRICS_PORT", str(port))
    process = subprocess.Popen([sys.executable, "-m", "services.reconciler"], stderr=subprocess.PIPE, text=True)

    def leads() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2) as answer:
                return "paraphe_reconciler_leads 1.0" in answer.read().decode()
        except OSError:
            return False

    try:
        wait_for(leads, within_s=20)
        asked = time.monotonic()
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0, said
    assert time.monotonic() - asked < 3
    assert "Traceback" not in said
