"""A running system to break."""

from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import pytest

from tests.servers import Servers
from tests.system import QUICK_RECOVERY, SAMPLES, System


@pytest.fixture
def system(clean_servers: Servers, tmp_path: Path) -> Iterator[System]:
    """All services, running."""
    system = System(clean_servers, tmp_path, QUICK_RECOVERY)
    try:
        system.start("gateway", "detector", "notifier", "reconciler")
        yield system
    finally:
        system.stop()


@pytest.fixture
def load() -> list[Path]:
    """Sixty submissions of the sample documents: JPEG, PNG, PDF of several pages, G4 TIFF."""
    samples = sorted(path for path in SAMPLES.iterdir() if path.suffix != ".json")
    return list(islice(cycle(samples), 60))
