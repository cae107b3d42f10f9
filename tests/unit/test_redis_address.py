"""Where the broker is, as written in the environment."""

import pytest
from pydantic import ValidationError

from shared.redis_address import Sentinels, sentinels, tls_options
from shared.settings import RedisSettings

URL = "redis://user:p%40ss@host:6379/0"


@pytest.fixture(autouse=True)
def _url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAPHE_REDIS_URL", URL)


def given(monkeypatch: pytest.MonkeyPatch, **values: str) -> Sentinels | None:
    for name, value in values.items():
        monkeypatch.setenv(f"PARAPHE_REDIS_{name}", value)
    return sentinels(RedisSettings())


def test_sentinels_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    found = given(monkeypatch, SENTINELS="sentinel-1:26380, sentinel-2,[fd00::7]:26381 , [fd00::8]")
    assert found is not None
    assert found.nodes == (("sentinel-1", 26380), ("sentinel-2", 26379), ("fd00::7", 26381), ("fd00::8", 26379))
    assert found.master == "mymaster"


@pytest.mark.parametrize("value", ["", " ", ","])
def test_without_any_the_url_says_where(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    assert given(monkeypatch, SENTINELS=value) is None


@pytest.mark.parametrize("value", ["redis://sentinel-1:26379", "a:b", "user@host:1", "fd00::7:26379"])
def test_what_is_no_address_is_said(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    with pytest.raises(ValidationError, match="sentinels"):
        given(monkeypatch, SENTINELS=value)


@pytest.mark.parametrize("url", ["sentinel://host:26379", "host:6379", "amqp://host"])
def test_an_address_of_another_kind_is_said(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(ValidationError, match="redis:// or rediss://"):
        given(monkeypatch, URL=url)


def test_tls_is_never_left_out_nor_unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tls_options(RedisSettings()) is None
    monkeypatch.setenv("PARAPHE_REDIS_URL", URL.replace("redis://", "rediss://"))
    assert tls_options(RedisSettings()) == {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
    found = given(monkeypatch, SENTINELS="s", SENTINEL_TLS="true", TLS_CA_FILE="/ca.pem")
    assert found is not None
    assert found.tls is not None
    assert dict(found.tls)["ssl_ca_certs"] == "/ca.pem"


def test_no_secret_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "hidden" not in repr(given(monkeypatch, SENTINELS="s", SENTINEL_PASSWORD="hidden"))
