"""Every integration test starts with empty servers and gets at them through our own layers."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from shared.db.engine import make_engine
from shared.objects import ObjectStore
from shared.settings import ObjectsSettings, PostgresSettings
from tests.servers import Servers


@pytest.fixture(autouse=True)
def _start_clean(clean_servers: Servers) -> None:
    """No row, no message."""


@pytest.fixture
def engine(clean_servers: Servers) -> Iterator[Engine]:
    """Connections to the empty database."""
    engine = make_engine(PostgresSettings())
    yield engine
    engine.dispose()


@pytest.fixture
def store(clean_servers: Servers) -> ObjectStore:
    """The bucket."""
    return ObjectStore(ObjectsSettings())
