"""A proxy that the environment names leads out of this machine, never back to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from paraphe import Client
from paraphe.local.readiness import answers
from tests.unit.paraphe.conftest import Answer, ScriptedServer, job_body


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """All HTTP is to go through it; it refuses everything that nobody has scripted."""
    proxy = ScriptedServer()
    for name in ("no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", proxy.url)
    yield proxy
    proxy.stop()


def test_whether_a_server_of_this_machine_is_ready_is_asked_directly(
    server: ScriptedServer, proxy: ScriptedServer
) -> None:
    server.will_answer(Answer(200), Answer(503))
    assert answers(f"{server.url}/readyz", timeout_s=5)
    assert not answers(f"{server.url}/readyz", timeout_s=5)
    assert proxy.asked == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_client_goes_directly_to_this_machine(
    server: ScriptedServer, proxy: ScriptedServer, host: str, tmp_path: Path
) -> None:
    document = tmp_path / "big.pdf"
    document.write_bytes(b"x" * 1000)
    url = server.url.replace("127.0.0.1", host)
    ticket = {"id": "u1", "url": f"{url}/bucket/u1", "method": "PUT", "expires_at": "…"}
    server.will_answer(Answer(200, job_body()), Answer(201, ticket), Answer(200))
    with Client(url, retries=0) as client:
        client.job("j")
        client.upload(document)
    assert [one.method for one in server.asked] == ["GET", "POST", "PUT"]
    assert proxy.asked == []


def test_the_client_goes_through_the_proxy_to_any_other(proxy: ScriptedServer) -> None:
    proxy.will_answer(Answer(200, job_body()))
    with Client("http://paraphe.example", retries=0) as client:
        client.job("j")
    assert [one.path for one in proxy.asked] == ["http://paraphe.example/v1/jobs/j"]


def test_a_proxy_the_client_could_not_use_does_not_matter_here(
    server: ScriptedServer, proxy: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:9")
    server.will_answer(Answer(200, job_body()))
    with Client(server.url, retries=0) as client:
        client.job("j")
    assert len(server.asked) == 1
