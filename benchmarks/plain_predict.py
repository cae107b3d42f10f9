"""The named alternative: a plain loop of Ultralytics' ``predict`` over files, as its documentation shows it.

``python -m benchmarks.plain_predict WEIGHTS SIZE FOLDER`` prints the seconds of each pass over the folder, one for each
line it reads, so that whoever measures can take turns.
"""

import sys
import tempfile
import time
from pathlib import Path

from services.trainer.runtime import load_model, prepare


def main() -> None:
    """Load once, warm up, then a timed pass a line of standard input."""
    weights, size, folder = sys.argv[1:4]
    # All cores, where Ultralytics by itself would leave one idle: the alternative at its best.
    prepare(Path(tempfile.gettempdir()) / "paraphe-ultralytics")
    model = load_model(weights)
    paths = sorted(Path(folder).iterdir())
    for path in paths[:4]:
        model.predict(path, imgsz=int(size), device="cpu", verbose=False)
    print("ready", flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        for path in paths:
            model.predict(path, imgsz=int(size), device="cpu", verbose=False)
        print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main()
