"""Ultralytics is brought up as the trainer does it before a test can import it: it patches Pillow for the process."""

import pytest

from services.trainer import runtime


@pytest.fixture(scope="session", autouse=True)
def quiet_ultralytics(tmp_path_factory: pytest.TempPathFactory) -> None:
    """In every process that runs these tests, whatever their order."""
    runtime.prepare(tmp_path_factory.mktemp("ultralytics"))
