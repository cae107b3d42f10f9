"""One browser and one gateway for all tests at the desk. They end with this package: Playwright's event loop belongs
to the thread that runs every other test, too, and a gateway left running would be in the way of whoever restores."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from shared.db import keys
from shared.db.engine import make_engine
from shared.settings import PostgresSettings
from tests import loopback
from tests.e2e.web.desk import CHROMIUM, Desk
from tests.integration.gateway.conftest import GatewayProcess
from tests.servers import Servers
from tests.system import System


@pytest.fixture(scope="package")
def desk_playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=20_000)  # a busy machine is no failure
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def desk_browser(desk_playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium: nothing is downloaded."""
    browser = desk_playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def desk_gateway(session_servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """One gateway for all tests at the desk: they differ only in the rows they find."""
    gateway = GatewayProcess(session_servers.environment, tmp_path_factory.mktemp("desk") / "gateway.log")
    yield gateway
    gateway.kill()


@pytest.fixture(scope="session")
def pictures(pytestconfig: pytest.Config) -> Path:
    """Where screenshots are kept, for people to look at after the run."""
    folder = Path(pytestconfig.getoption("artefacts")) / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def system(clean_servers: Servers, tmp_path: Path) -> Iterator[System]:
    """A gateway with the real detector behind it, with the model of who names none."""
    system = System(clean_servers, tmp_path, {"PARAPHE_MODEL_DEFAULT": "signatures"})
    try:
        system.start("gateway", "detector")
        yield system
    finally:
        system.stop()


@pytest.fixture
def desk(clean_servers: Servers, desk_gateway: GatewayProcess, desk_browser: Browser, pictures: Path) -> Iterator[Desk]:
    """An empty system; afterwards no page may have complained of anything."""
    engine = make_engine(PostgresSettings())
    with engine.begin() as connection:
        key, text = keys.create(
            connection, client_name="acme", name="scanner", scopes=list(keys.Scope), requests_per_minute=1_000_000
        )
    api = loopback.Client(base_url=desk_gateway.url, headers={"Authorization": f"Bearer {text}"}, timeout=30)
    desk = Desk(desk_gateway.url, desk_browser, engine, key.client_id, api, pictures)
    yield desk
    desk.close()
    engine.dispose()
    assert desk.complaints == [], desk.complaints
