"""A running system to break."""

from itertools import cycle, islice
from pathlib import Path

import pytest

from tests.conftest import LendSystem
from tests.system import QUICK_RECOVERY, SAMPLES, System


@pytest.fixture
def system(lend_system: LendSystem) -> System:
    """All services, running, those too that the test before has killed."""
    return lend_system(QUICK_RECOVERY, "gateway", "detector", "notifier", "reconciler")


@pytest.fixture
def load() -> list[Path]:
    """Sixty submissions of the sample documents: JPEG, PNG, G4 TIFF, and now and then a PDF of several pages."""
    samples = sorted(path for path in SAMPLES.iterdir() if path.suffix != ".json")
    of_one_page = [path for path in samples if path.suffix != ".pdf"]
    return list(islice(cycle([*samples, *of_one_page, *of_one_page]), 60))
