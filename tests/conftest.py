"""Real servers for every test that wants them, started once a run. A server that cannot start fails the tests."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from paraphe.local.data_folder import DataFolder
from tests.servers import Servers

KINDS = ("unit", "integration", "faults", "e2e")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where tests leave what people look at afterwards: screenshots of the pages."""
    folder = Path(__file__).parent.parent / "test-artefacts"
    parser.addoption("--artefacts", default=folder, metavar="DIR", help=f"folder for screenshots (default: {folder})")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The folder a test lies in says its kind: ``pytest -m unit``. The quick kinds run first."""
    items.sort(key=_place_in_run)
    for item in items:
        if _folder(item) in KINDS:
            item.add_marker(_folder(item))
    if "deploy" not in config.getoption("markexpr"):
        _leave_out(config, items, "deploy")


def _leave_out(config: pytest.Config, items: list[pytest.Item], marker: str) -> None:
    left_out = [item for item in items if item.get_closest_marker(marker)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).parts[0]


def _place_in_run(item: pytest.Item) -> int:
    return KINDS.index(_folder(item)) if _folder(item) in KINDS else len(KINDS)


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own settings must neither help nor harm a test."""
    for name in list(os.environ):
        if name.startswith("PARAPHE_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def session_servers() -> Iterator[Servers]:
    """Started on first use. Tests ask for ``servers`` instead."""
    # Not pytest's own folder: that is closed to other users, and PostgreSQL started by root runs as one.
    path = Path(tempfile.mkdtemp(prefix="paraphe-tests-"))
    folder = DataFolder(path)
    folder.prepare()
    servers = Servers.in_folder(folder)
    try:
        servers.group.ensure_running()
        yield servers
    finally:
        for server in servers.group.members:
            server.kill()
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def servers(session_servers: Servers, no_settings_from_outside: None, monkeypatch: pytest.MonkeyPatch) -> Servers:
    """Running servers, with the settings in the environment that lead to them."""
    session_servers.group.ensure_running()
    for name, value in session_servers.environment.items():
        monkeypatch.setenv(name, value)
    return session_servers


@pytest.fixture
def clean_servers(servers: Servers) -> Servers:
    """The same, with a migrated database without rows, an empty broker, and the bucket made."""
    # Imported here: unit tests should not pay for the data layer.
    from tests.cleaning import clean

    clean(servers)
    return servers
