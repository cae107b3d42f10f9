"""The first results: the bundled sample documents go the same way as anybody's."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from paraphe.answers import Job
from paraphe.api_errors import ParapheClientError
from paraphe.client import Client

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "documents"
_PATIENCE_S = 120.0


@dataclass(frozen=True)
class DemoResult:
    """What came back for the samples, in order, and how long after the start of the demo the first was there."""

    jobs: list[tuple[str, Job]]
    first_s: float


def sample_documents() -> list[Path]:
    """The bundled documents; none in an installation without the repository."""
    known = {".pdf", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"}
    return sorted(path for path in SAMPLES.glob("*") if path.suffix.lower() in known)


def run_demo(client: Client, say: Callable[[str], None]) -> DemoResult | None:
    """Submit all samples and wait for their outcomes; None when the system could not be asked."""
    began = time.monotonic()
    arrived: list[float] = []

    def examine(path: Path) -> tuple[str, Job]:
        job = client.wait(client.submit(path, priority="interactive"), timeout_s=_PATIENCE_S)
        arrived.append(time.monotonic() - began)
        return path.name, job

    try:
        with ThreadPoolExecutor(4) as pool:
            jobs = list(pool.map(examine, sample_documents()))
    except ParapheClientError as error:
        say(f"the sample documents could not be examined: {error}")
        return None
    return DemoResult(jobs, min(arrived)) if jobs else None
