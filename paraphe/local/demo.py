"""The first results: the bundled sample documents go the same way as anybody's."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from paraphe.answers import Job
from paraphe.client import Client

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "documents"
_KNOWN = frozenset({".pdf", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"})
_PATIENCE_S = 120.0


@dataclass(frozen=True)
class DemoResult:
    """What came back for the samples, by name, and when the first and the last were there (``time.monotonic``)."""

    jobs: list[tuple[str, Job]]
    first_at: float
    last_at: float


def sample_documents() -> list[Path]:
    """The bundled documents; none in an installation without the repository."""
    return sorted(path for path in SAMPLES.glob("*") if path.suffix.lower() in _KNOWN)


def run_demo(client: Client) -> DemoResult | None:
    """Submit all samples and wait for their outcomes; None when there are no samples."""
    moments: list[float] = []

    def examine(path: Path) -> tuple[str, Job]:
        job = client.wait(client.submit(path, priority="interactive"), timeout_s=_PATIENCE_S)
        moments.append(time.monotonic())
        return path.name, job

    with ThreadPoolExecutor(4) as pool:
        jobs = list(pool.map(examine, sample_documents()))
    return DemoResult(jobs, min(moments), max(moments)) if jobs else None
