"""How fast is the whole route, and against what? ``python -m benchmarks.route`` prints the table.

All figures of a table come from one run on one machine. What is compared takes turns (a b a b …), and a row shows
medians and the range, because machines are noisy:

* pages/s of the whole system (upload to recorded outcome) over a plain loop of Ultralytics' predict, same files, same
  weights: once with the same looks at each page and, of a model that takes several, once with the largest alone;
* the same over the bare forward of the system's own backend on ready tensors, in the batches the system would make;
* what the system adds to one document at low load, from its acceptance to its outcome, beyond decoding and forward;
* uploads accepted a second over raw PUTs of the same bytes to the same object store.
"""

import argparse
import io
import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import TypeVar

import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.running import RunningSystem, running_system
from benchmarks.scans import small_scans
from services.detector.model_cache import ModelCache
from services.detector.settings import WorkerSettings
from services.detector.yolo.backends.choice import choose_backend
from services.detector.yolo.detector import Detector, PreparedPage
from services.detector.yolo.orientation import load_orientation
from shared.domain.model_version import ModelVersion
from shared.objects import ObjectStore
from shared.pages.limits import RenderLimits
from shared.pages.renderer import Renderer
from shared.settings import ModelSettings, ObjectsSettings

T = TypeVar("T")

_SENDERS = 8


def main() -> None:
    """Measure and print."""
    options = _options()
    model = ModelCache(ModelSettings().directory).load(options.model)
    console = Console()
    with tempfile.TemporaryDirectory() as folder, running_system() as system:
        scans = small_scans(Path(folder), options.pages)
        console.print(
            f"{len(scans)} pages, {_mean_kb(scans):.0f} kB on average, {options.runs} runs, model {model.name} "
            f"{model.version} at {_pixels(model.input_sizes)} px, precision {WorkerSettings().precision}"
        )
        throughput = _throughput(system, model, scans, options.runs)
        overhead = _overhead_ms(system, model, scans[:30])
        uploads, puts = _acceptance(system, scans, options.runs)
    console.print(_table(throughput, overhead, uploads, puts))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.route", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="how often each measurement is taken")
    parser.add_argument("--pages", type=int, default=80, help="one-page files a measurement")
    parser.add_argument("--model", default="signatures")
    return parser.parse_args()


def _pixels(sizes: Sequence[int]) -> str:
    return " and ".join(map(str, sizes))


def _throughput(system: RunningSystem, model: ModelVersion, scans: list[Path], runs: int) -> dict[str, list[float]]:
    """Pages a second, taking turns: the whole system first, then what it is compared with."""
    forward = _bare_forward(model, scans)
    _examine(system, model, scans)  # warm
    with ExitStack() as loops:
        measures: dict[str, Callable[[], float]] = {"whole system": partial(_examine, system, model, scans)}
        for count in dict.fromkeys((len(model.input_sizes), 1)):
            name = f"plain loop of Ultralytics predict at {_pixels(model.input_sizes[:count])} px"
            measures[name] = loops.enter_context(_plain_predict(_looks(model)[:count], scans[0].parent))
        measures["bare forward on ready tensors"] = forward
        rates: dict[str, list[float]] = {name: [] for name in measures}
        for _ in range(runs):
            for name, measure in measures.items():
                rates[name].append(len(scans) / measure())
    return rates


def _examine(system: RunningSystem, model: ModelVersion, scans: list[Path]) -> float:
    """Seconds from the first byte sent to the last outcome recorded."""
    started = time.perf_counter()
    with ThreadPoolExecutor(_SENDERS) as pool:
        list(pool.map(partial(system.client.submit, model=model.name), scans))
    _until_idle(system)
    return time.perf_counter() - started


def _looks(model: ModelVersion) -> list[tuple[int, Path]]:
    """The input size of each look at a page, and the network that takes it."""
    networks = model.files["pytorch"]
    return list(zip(model.input_sizes, networks if len(networks) > 1 else itertools.cycle(networks), strict=False))


@contextmanager
def _plain_predict(looks: Sequence[tuple[int, Path]], folder: Path) -> Iterator[Callable[[], float]]:
    command = [sys.executable, "-m", "benchmarks.plain_predict", str(folder)]
    with subprocess.Popen(  # noqa: S603 - our own module
        [*command, *(f"{size}={weights}" for size, weights in looks)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as loop:
        assert loop.stdin is not None
        assert loop.stdout is not None
        stdin, stdout = loop.stdin, loop.stdout
        _line_that(stdout, lambda line: line == "ready")

        def one_pass() -> float:
            print("go", file=stdin, flush=True)
            return float(_line_that(stdout, lambda line: line.replace(".", "").isdigit()))

        yield one_pass
        stdin.close()


def _line_that(lines: Iterator[str], fits: Callable[[str], bool]) -> str:
    return next(line.strip() for line in lines if fits(line.strip()))


def _bare_forward(model: ModelVersion, scans: list[Path]) -> Callable[[], float]:
    """The system's backend and settings on tensors that are ready."""
    worker = WorkerSettings()
    backend = choose_backend(model, worker.backend, worker.precision)
    detector = Detector(backend, model, model.thresholds.review)
    pages = sorted(_prepared(detector, model, scans), key=lambda page: page.shapes)
    size = worker.max_batch or backend.preferred_batch
    batches = [
        np.stack(tensors)
        for _, group in itertools.groupby(pages, key=lambda page: page.shapes)
        for same in [list(group)]
        for start in range(0, len(same), size)
        for tensors in zip(*([view.tensor for view in page.views] for page in same[start : start + size]), strict=True)
    ]

    def one_pass() -> float:
        started = time.perf_counter()
        for batch in batches:
            backend.infer(batch)
        return time.perf_counter() - started

    one_pass()
    return one_pass


def _prepared(detector: Detector, model: ModelVersion, scans: list[Path]) -> list[PreparedPage]:
    limits = RenderLimits()
    with Renderer(1) as renderer:
        return [detector.prepare(page) for path in scans for page in renderer.pages(path, model.raster, limits)]


def _overhead_ms(system: RunningSystem, model: ModelVersion, scans: list[Path]) -> list[float]:
    """Milliseconds from acceptance to outcome, one document at a time, less decoding and forward done bare."""
    worker = WorkerSettings()
    backend = choose_backend(model, worker.backend, worker.precision)
    detector = Detector(backend, model, model.thresholds.review, load_orientation(ModelSettings().directory))
    limits = RenderLimits()
    overheads = []
    with Renderer(1) as renderer:
        for path in [scans[0], *scans]:
            started = time.perf_counter()
            detector.detect_all(list(renderer.pages(path, model.raster, limits)))
            bare_ms = (time.perf_counter() - started) * 1000
            job = system.client.wait(system.client.submit(path, model=model.name))
            assert job.result is not None
            # The outcome's moment is that of the recording transaction's beginning: its writing comes on top.
            overheads.append((job.seconds or 0.0) * 1000 + job.result.timings["recorded"] - bare_ms)
    return overheads[1:]


def _acceptance(system: RunningSystem, scans: list[Path], runs: int) -> tuple[list[float], list[float]]:
    """Uploads a second accepted by the gateway, and raw PUTs a second to its object store, taking turns."""
    store = ObjectStore(ObjectsSettings())
    bodies = [path.read_bytes() for path in scans]
    uploads: list[float] = []
    puts: list[float] = []
    with httpx.Client(headers={"Authorization": f"Bearer {system.key}"}) as http:

        def upload(body: bytes) -> None:
            answer = http.post(
                f"{system.url}/v1/jobs", content=body, headers={"Content-Type": "application/octet-stream"}
            )
            assert answer.status_code == 202, answer.text

        def put(numbered: tuple[int, bytes]) -> None:
            index, body = numbered
            store.put(f"benchmark/{index}", io.BytesIO(body), len(body), "application/octet-stream")

        for _ in range(runs):
            with system.detector_at_rest():
                uploads.append(len(bodies) / _seconds(upload, bodies))
                puts.append(len(bodies) / _seconds(put, list(enumerate(bodies))))
            _until_idle(system)
    return uploads, puts


def _seconds(send: Callable[[T], None], items: Sequence[T]) -> float:
    started = time.perf_counter()
    with ThreadPoolExecutor(_SENDERS) as pool:
        list(pool.map(send, items))
    return time.perf_counter() - started


def _until_idle(system: RunningSystem) -> None:
    while any(True for _ in system.client.jobs(status=["queued", "processing"])):
        time.sleep(0.05)


def _table(throughput: dict[str, list[float]], overhead: list[float], uploads: list[float], puts: list[float]) -> Table:
    table = Table(title="The route of one scan")
    for name in ("what", "median", "range", "ratio"):
        table.add_column(name, justify="left" if name == "what" else "right")
    whole, *others = throughput
    table.add_row(f"{whole}, pages/s", *_spread(throughput[whole]), "")
    for name in others:
        table.add_row(f"{name}, pages/s", *_spread(throughput[name]), _ratio(throughput[whole], throughput[name]))
    cuts = quantiles(overhead, n=20)
    table.add_row("added at low load, p50 ms", f"{median(overhead):.1f}", "", "")
    table.add_row("added at low load, p95 ms", f"{cuts[-1]:.1f}", "", "")
    table.add_row("uploads accepted/s", *_spread(uploads), "")
    table.add_row("raw object-store PUTs/s", *_spread(puts), _ratio(uploads, puts))
    return table


def _spread(values: list[float]) -> tuple[str, str]:
    return f"{median(values):.1f}", f"{min(values):.1f} - {max(values):.1f}"


def _ratio(ours: list[float], theirs: list[float]) -> str:
    """Median of the ratios of neighbours in time: a slow minute slows both."""
    return f"{median(a / b for a, b in zip(ours, theirs, strict=True)):.2f}"


def _mean_kb(paths: list[Path]) -> float:
    return sum(path.stat().st_size for path in paths) / len(paths) / 1000


if __name__ == "__main__":
    main()
