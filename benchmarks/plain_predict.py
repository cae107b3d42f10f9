"""The named alternative: a plain loop of Ultralytics' ``predict`` over files, as its documentation shows it.

``python -m benchmarks.plain_predict FOLDER SIZE=WEIGHTS…`` prints the seconds of a pass over the folder for each line
it reads, so that whoever measures can take turns. Of several looks each file is given each.
"""

import sys
import tempfile
import time
from pathlib import Path

from services.trainer.runtime import load_model, prepare


def main() -> None:
    """Load once, warm up, then a timed pass a line of standard input."""
    folder, *asked = sys.argv[1:]
    # All cores, where Ultralytics by itself would leave one idle: the alternative at its best.
    prepare(Path(tempfile.gettempdir()) / "paraphe-ultralytics")
    sizes_and_weights = [one.split("=", 1) for one in asked]
    models = {weights: load_model(weights) for _, weights in sizes_and_weights}
    paths = sorted(Path(folder).iterdir())
    looks = [(path, int(size), models[weights]) for path in paths for size, weights in sizes_and_weights]
    for path, size, model in looks[:8]:
        model.predict(path, imgsz=size, device="cpu", verbose=False)
    print("ready", flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        for path, size, model in looks:
            model.predict(path, imgsz=size, device="cpu", verbose=False)
        print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main()
