"""Where the gateway of this machine is found."""

from pathlib import Path

import pytest

from paraphe.local.supervisor import Supervisor, UpOptions


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8001"),
        ("0.0.0.0", "http://127.0.0.1:8001"),
        ("::", "http://[::1]:8001"),
        ("::1", "http://[::1]:8001"),
        ("scans.example", "http://scans.example:8001"),
    ],
)
def test_it_is_asked_for_where_it_listens(tmp_path: Path, host: str, url: str) -> None:
    assert Supervisor(UpOptions(tmp_path, host, port=8001), print).url == url
