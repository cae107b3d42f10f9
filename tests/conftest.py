"""Real servers for every test that wants them, started once a run. A server that cannot start fails the tests."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from paraphe.local.data_folder import DataFolder
from tests.servers import Servers

if TYPE_CHECKING:
    from tests.system import System

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


LendSystem = Callable[..., "System"]


@pytest.fixture(scope="module")
def kept_systems() -> Iterator[list["System"]]:
    """What the tests before have left running; one system at the most."""
    systems: list[System] = []
    yield systems
    _stop(systems)


def _stop(systems: list["System"]) -> None:
    while systems:
        systems.pop().stop()


@pytest.fixture
def lend_system(
    clean_servers: Servers,
    kept_systems: list["System"],
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[LendSystem]:
    """Lends test after test of a file the same system, on empty servers: a start takes longer than many a test.

    The system of a test that failed is not used again.
    """
    from tests.system import System

    def lend(settings: Mapping[str, str], *services: str) -> "System":
        if kept_systems:
            kept_systems[0].make_key()
        else:
            kept_systems.append(System(clean_servers, tmp_path_factory.mktemp("system"), dict(settings)))
        kept_systems[0].run_just(*services)
        return kept_systems[0]

    failed_before = request.session.testsfailed
    yield lend
    if request.session.testsfailed > failed_before:
        _stop(kept_systems)
