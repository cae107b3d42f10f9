"""Fine-tunes the detector: one command, resumable after a kill, with every setting and seed in one file.

    python -m services.trainer.training --data DIR --warm-start WEIGHTS.npz --out DIR

A second call with the same --out goes on from the last finished epoch.
"""

from __future__ import annotations

import argparse
import json
import platform
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from services.trainer import runtime
from services.trainer.dataset import read_pages
from services.trainer.packing import pack


@dataclass(frozen=True)
class TrainingSettings:
    """Everything a run depends on. Sizes in pixels; held_out is the share of groups kept for choices in training."""

    data: str
    out: str
    warm_start: str = ""
    extra: str = ""
    family: str = "yolo11n"
    size: int = 640
    epochs: int = 28
    batch: int = 16
    nominal_batch: int = 64
    learning_rate: float = 1e-3
    mosaic: float = 0.3
    close_mosaic: int = 8
    scale: float = 0.3
    rotate: float = 2.0
    held_out: float = 0.1
    seed: int = 7
    threads: int = 0


def train(settings: TrainingSettings) -> Path:
    """Run or resume one training and return the path of its best checkpoint."""
    out = Path(settings.out)
    out.mkdir(parents=True, exist_ok=True)
    threads = runtime.prepare(out / "ultralytics", settings.threads or None)
    record_settings(settings, out, threads)
    data = pack(read_pages(Path(settings.data), "train"), out / "pages", settings.size * 2, settings.held_out)
    from services.trainer.ultralytics_trainer import run

    return run(settings, data)


def record_settings(settings: TrainingSettings, out: Path, threads: int) -> None:
    """Keep the settings and versions of the run beside its results."""
    import torch
    import ultralytics

    versions = {"python": platform.python_version(), "torch": torch.__version__, "ultralytics": ultralytics.__version__}
    record: dict[str, Any] = {"settings": asdict(settings), "versions": versions, "threads_used": threads}
    (out / "settings.json").write_text(json.dumps(record, indent=2) + "\n")


def parse_arguments(arguments: list[str] | None = None) -> TrainingSettings:
    """Turn the command line into settings: one option for each field."""
    parser = argparse.ArgumentParser(prog="python -m services.trainer.training", description=__doc__)
    for setting in fields(TrainingSettings):
        required = setting.name in {"data", "out"}
        kind = {"str": str, "int": int, "float": float}[str(setting.type)]
        default = None if required else setting.default
        parser.add_argument(f"--{setting.name.replace('_', '-')}", type=kind, required=required, default=default)
    return TrainingSettings(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    print(train(parse_arguments()))
