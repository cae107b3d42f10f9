"""How fast the detector examines pages, by model, input size, runtime and precision: no queue, no store, no database.

``python -m benchmarks.backends [MODEL_FOLDER …]`` (default: every version in models/) takes turns between all
that is installed and prints a table; the accuracy beside it is what ``paraphe model evaluate --record`` has written
into the version's model.json. What each row times is what a worker does once a page is decoded: reduce and place it,
the forward, reading the boxes. With ``--threads`` as many threads make pages ready and share forwards, as a worker's
do: that is what keeps a GPU busy.
"""

import argparse
import json
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.scans import small_scans
from services.detector.batcher import Batcher
from services.detector.model_cache import read_model
from services.detector.settings import WorkerSettings
from services.detector.yolo.backends.backend import Backend, Precision
from services.detector.yolo.backends.choice import BackendName, choose_backend
from services.detector.yolo.detector import Detector
from shared.domain.errors import ParapheError
from shared.domain.model_version import ModelVersion
from shared.pages.limits import RenderLimits
from shared.pages.renderer import RenderedPage, Renderer

MODELS = Path(__file__).resolve().parent.parent / "models"
_RUNTIMES: tuple[tuple[BackendName, Precision], ...] = (
    ("openvino", "auto"),
    ("openvino", "f32"),
    ("onnxruntime", "f32"),
    ("pytorch", "auto"),
    ("pytorch", "f32"),
)
_ALTERNATIVE = ("pytorch", "f32")
_LEAST_CONFIDENCE = 0.05
_MOST_WAIT_S = WorkerSettings().max_wait_ms / 1000
_ACCURACY = ("f1", "map50", "map50_95")


@dataclass(frozen=True)
class Contender:
    """One row: a loaded network and the pages it is given, rendered for its largest input."""

    version: ModelVersion
    backend: Backend
    detector: Detector
    precision: Precision
    accuracy: dict[str, float]
    pages: list[RenderedPage]

    @property
    def model(self) -> str:
        """The model's name and version."""
        return f"{self.version.name} {self.version.version}"

    def pages_a_second(self, threads: int) -> float:
        """One pass over all pages."""
        started = time.perf_counter()
        if threads == 1:
            self.detector.detect_all(self.pages)
        else:
            self._detect_by(threads)
        return len(self.pages) / (time.perf_counter() - started)

    def _detect_by(self, threads: int) -> None:
        detector = self.detector
        batcher = Batcher(detector.detect, lambda page: page.shapes, self.backend.preferred_batch, _MOST_WAIT_S)
        with closing(batcher), ThreadPoolExecutor(threads) as examining:
            list(examining.map(lambda page: batcher.submit(detector.prepare(page)).result(), self.pages))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backends", description=__doc__)
    parser.add_argument("models", nargs="*", type=Path, help="folders of model versions")
    parser.add_argument("--pages", type=int, default=24, help="pages a pass")
    parser.add_argument("--runs", type=int, default=5, help="passes of each, by turns")
    parser.add_argument("--threads", type=int, default=1, help="threads that share forwards, as a worker's do")
    arguments = parser.parse_args()
    folders = arguments.models or sorted(path.parent for path in MODELS.glob("*/*/model.json"))
    with tempfile.TemporaryDirectory(prefix="paraphe-") as scratch, Renderer(1) as renderer:
        scans = small_scans(Path(scratch), arguments.pages)
        contenders = [one for folder in folders for one in _contenders(folder, scans, renderer)]
        for one in contenders:
            one.pages_a_second(arguments.threads)  # a runtime compiles on its first pages
        speeds: list[list[float]] = [[] for _ in contenders]
        for _ in range(arguments.runs):
            for one, runs in zip(contenders, speeds, strict=True):
                runs.append(one.pages_a_second(arguments.threads))
    Console(width=140).print(_table(contenders, speeds))


def _contenders(folder: Path, scans: list[Path], renderer: Renderer) -> list[Contender]:
    version = read_model(folder)
    recorded = json.loads((folder / "model.json").read_text()).get("metrics", {}).get("val", {})
    accuracy = {name: recorded[name]["value"] for name in _ACCURACY if name in recorded}
    pages = [page for scan in scans for page in renderer.pages(scan, version.raster, RenderLimits())]
    return [
        Contender(version, backend, Detector(backend, version, _LEAST_CONFIDENCE), precision, accuracy, pages)
        for name, precision in _RUNTIMES
        if (backend := _loaded(version, name, precision))
    ]


def _loaded(version: ModelVersion, name: BackendName, precision: Precision) -> Backend | None:
    try:
        return choose_backend(version, name, precision)
    except ParapheError as missing:
        print(f"left out: {name} at {precision}, for {version.name}: {missing}")
        return None


def _table(contenders: list[Contender], speeds: list[list[float]]) -> Table:
    table = Table("model", "px", "runtime", "on", "precision", "pages/s", "range", "ratio", "F1", "mAP50", "mAP50-95")
    plain = {one.model: median(runs) for one, runs in zip(contenders, speeds, strict=True) if _is_alternative(one)}
    for one, runs in zip(contenders, speeds, strict=True):
        accuracy = [f"{100 * one.accuracy[name]:.1f}" if name in one.accuracy else "-" for name in _ACCURACY]
        table.add_row(
            one.model,
            "+".join(str(size) for size in one.version.input_sizes),
            one.backend.name,
            one.backend.device,
            one.precision,
            f"{median(runs):.1f}",
            f"{min(runs):.1f} - {max(runs):.1f}",
            f"{median(runs) / plain[one.model]:.2f}" if one.model in plain else "-",
            *accuracy,
        )
    return table


def _is_alternative(one: Contender) -> bool:
    return (one.backend.name, one.precision) == _ALTERNATIVE


if __name__ == "__main__":
    main()
