"""Fine-tunes the detector: one command, resumable after a kill, with every setting and seed in one file.

    python -m services.trainer.training --data DIR --warm-start WEIGHTS --out DIR

A second call with the same --out goes on from the last finished epoch; a run that has come to its end stays as it is.
"""

from __future__ import annotations

import argparse
import json
import platform
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from services.trainer import runtime
from services.trainer.dataset import DatasetError, LabelledPage, read_pages
from services.trainer.dataset_version import describe
from services.trainer.packing import HELD_OUT_SHARE, Packing, pack
from shared.domain.labels import KINDS


@dataclass(frozen=True)
class TrainingSettings:
    """Everything a run depends on; sizes in pixels.

    data: folder with real pages, of which the train split is used; held_out is the share of its groups kept for
    choices, 0 to learn from all of them once the choices are made. extra: folders, separated by commas, of synthetic or
    corrected pages; those of their train split are labelled for every kind, unless tagged otherwise, and seen once an
    epoch. kinds: how many of signature, initials, stamp are learned. repeat: how often an epoch sees each real page.
    warm_start: .npz or .pt; of a smaller network's checkpoint a wider copy is made. family: one of networks/ or of
    Ultralytics. crop: side of the random windows trained on, 0 for whole pages; whole: share of batches (of windows,
    where pages are drawn) that show whole pages reduced to that side, which a look at a smaller size will be given.
    scale: by how much pages are enlarged or reduced, those but for a share that is shown as production shows it. They
    are not turned: a box turned with its page grows, and larger boxes are what is then learned. freeze: how many of the
    network's first layers keep the warm start's weights, which shortens a step. hours: if given, what decides instead
    of epochs.

    drawing: how many processes draw fresh pages while the network trains, which is for a GPU: pages then lie on it, an
    epoch has as many windows as epoch_windows says, drawn_share of them cut from such pages, and the newest pool_room
    of these are kept. Where none draw, epochs are made of the pages at hand.

    ValueError: pages are drawn, and there is no room for them, or an epoch holds no batch.
    """

    data: str
    out: str
    warm_start: str = ""
    extra: str = ""
    family: str = "yolo11n"
    size: int = 640
    kinds: int = 1
    epochs: int = 22
    batch: int = 16
    nominal_batch: int = 32
    repeat: int = 1
    crop: int = 0
    whole: float = 0.0
    freeze: int = 0
    hours: float = 0.0
    learning_rate: float = 1e-3
    warmup: float = 1.0
    mosaic: float = 0.3
    close_mosaic: int = 8
    scale: float = 0.3
    drawing: int = 0
    drawn_share: float = 0.85
    pool_room: int = 4000
    epoch_windows: int = 25_600
    held_out: float = HELD_OUT_SHARE
    seed: int = 7
    threads: int = 0

    def __post_init__(self) -> None:
        if self.drawing and self.pool_room < 1:
            raise ValueError("there is no room for pages that are drawn: make pool_room at least 1")
        if self.drawing and self.epoch_windows < self.batch:
            raise ValueError(
                f"{self.epoch_windows} windows an epoch hold no batch of {self.batch}: raise epoch_windows"
            )


def train(settings: TrainingSettings) -> Path:
    """Run or resume one training and return the path of its best checkpoint.

    DatasetError: the data is not fit for it.
    """
    out = Path(settings.out)
    out.mkdir(parents=True, exist_ok=True)
    threads = runtime.prepare(out / "ultralytics", settings.threads or None)
    from services.trainer.ultralytics_trainer import finished, run

    if best := finished(out):
        print(f"{out}: this run has come to its end; name another --out for a new one")
        return best
    pages = read_pages(Path(settings.data), "train")
    extra = {Path(folder): read_pages(Path(folder), "train") for folder in filter(None, settings.extra.split(","))}
    record_settings(settings, out, threads, {Path(settings.data): pages, **extra})
    packing = Packing(out / "pages", settings.size, settings.held_out, settings.kinds, settings.repeat)
    data = pack(pages, [page for part in extra.values() for page in part], packing)
    return run(settings, data)


def record_settings(settings: TrainingSettings, out: Path, threads: int, pages: dict[Path, list[LabelledPage]]) -> None:
    """Keep the settings, versions and the content of the data, by folder, beside the run's results."""
    import torch
    import ultralytics

    record: dict[str, Any] = {
        "settings": asdict(settings),
        "classes": list(KINDS[: settings.kinds]),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "ultralytics": ultralytics.__version__,
        },
        "threads_used": threads,
        "dataset": [_pinned(folder, part) for folder, part in pages.items() if part],
    }
    (out / "settings.json").write_text(json.dumps(record, indent=2) + "\n")


def _pinned(folder: Path, pages: list[LabelledPage]) -> dict[str, Any]:
    """What pins a part of the data: its version, which is a hash over every file and box, and its counts."""
    manifest = describe(folder, pages, {})
    return {"folder": folder.name, "version": manifest["version"], "counts": manifest["counts"]["all"]}


def parse_arguments(arguments: list[str] | None = None) -> TrainingSettings:
    """Turn the command line into settings: one option for each field."""
    parser = argparse.ArgumentParser(prog="python -m services.trainer.training", description=__doc__)
    for setting in fields(TrainingSettings):
        required = setting.name in {"data", "out"}
        kind = {"str": str, "int": int, "float": float}[str(setting.type)]
        default = None if required else setting.default
        parser.add_argument(f"--{setting.name.replace('_', '-')}", type=kind, required=required, default=default)
    options = parser.parse_args(arguments)
    try:
        return TrainingSettings(**vars(options))
    except ValueError as error:
        parser.error(str(error))


def main() -> None:
    """Train as the command line says; what is wrong with the data is said in a line."""
    settings = parse_arguments()
    try:
        print(train(settings))
    except DatasetError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
