"""Settings as an operator writes them."""

from ipaddress import ip_network

import pytest
from pydantic import ValidationError

from services.notifier.settings import WebhookSettings


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAPHE_WEBHOOK_ALLOWED_NETWORKS", "10.0.0.0/8, fd00::/8")
    monkeypatch.setenv("PARAPHE_WEBHOOK_WAITS_S", "1,2.5")
    settings = WebhookSettings()
    assert settings.allowed_networks == (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
    assert settings.waits_s == (1.0, 2.5)


@pytest.mark.parametrize(
    ("name", "value"), [("ALLOWED_NETWORKS", "10.0.0.1/8"), ("ALLOWED_NETWORKS", "intranet"), ("WAITS_S", "")]
)
def test_what_is_not_understood_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"PARAPHE_WEBHOOK_{name}", value)
    with pytest.raises(ValidationError):
        WebhookSettings()


def test_private_addresses_are_closed_unless_said() -> None:
    assert not WebhookSettings().allow_private
