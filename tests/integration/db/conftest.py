"""A client with jobs."""

import pytest
from sqlalchemy import Engine

from tests.integration.db.stories import Stories


@pytest.fixture
def stories(engine: Engine) -> Stories:
    return Stories(engine)
