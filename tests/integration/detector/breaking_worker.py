"""A detector worker whose runtime breaks for good: ``python -m tests.integration.detector.breaking_worker JOBS``.

Its first forward for a job ends only once so many are held. From then on it fails whatever it is given, as a GPU does
after a fatal error.
"""

import sys
import time
from unittest.mock import patch

import numpy as np
from prometheus_client import REGISTRY

from services.detector.worker import main
from services.detector.yolo.arrays import Floats


class BreakingBackend:
    """Works until there are jobs."""

    name = "breaking"
    device = "none"
    preferred_batch = 4

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs

    def infer(self, batch: Floats) -> Floats:
        if not _held():
            return np.zeros((len(batch), 1, 6), np.float32)
        while _held() < self._jobs:
            time.sleep(0.01)
        raise RuntimeError("CUDA error: an illegal memory access was encountered")


def _held() -> float:
    return REGISTRY.get_sample_value("paraphe_detector_jobs_held") or 0


if __name__ == "__main__":
    with patch("services.detector.models.choose_backend", return_value=BreakingBackend(int(sys.argv[1]))):
        main()
