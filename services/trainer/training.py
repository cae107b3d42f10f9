"""Fine-tunes the detector: one command, resumable after a kill, with every setting and seed in one file.

    python -m services.trainer.training --data DIR --warm-start WEIGHTS --out DIR

A second call with the same --out goes on from the last finished epoch, and may change --hours, --batch and --threads; a
run that has come to its end stays as it is.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from services.trainer import runtime
from services.trainer.dataset import DatasetError, LabelledPage, read_pages
from services.trainer.dataset_check import unknown_classes
from services.trainer.dataset_version import describe
from services.trainer.packing import HELD_OUT_SHARE, Packing, pack
from shared.domain.labels import KINDS

_MAY_CHANGE = frozenset({"out", "hours", "batch", "threads"})
"""Settings that take effect where a run is resumed. Of most others Ultralytics keeps what it was begun with."""

_FOLDERS = frozenset({"data", "warm_start", "extra"})


class ResumeError(ValueError):
    """The run was begun with other settings; the message names them."""


def _setting(default: Any, meaning: str) -> Any:
    return field(default=default, metadata={"help": meaning})


@dataclass(frozen=True)
class TrainingSettings:
    """Everything a run depends on; sizes in pixels. What each field means stands beside it and in ``--help``.

    Where ``drawing`` processes draw fresh pages, which is for a GPU, an epoch has ``epoch_windows`` windows. Where none
    draw, epochs are made of the pages at hand. Nothing is turned: a box turned with its page grows, and larger boxes
    are what is then learned.

    ValueError: pages are drawn, and there is no room for them, or an epoch holds no batch.
    """

    data: str = _setting(MISSING, "folder of labelled pages; those of its train split are learned from")
    out: str = _setting(MISSING, "folder of the run: settings, checkpoints, curves")
    warm_start: str = _setting(
        "", "weights to begin with, .pt or .npz; of a smaller network's checkpoint a wider copy is made"
    )
    extra: str = _setting(
        "",
        "folders, separated by commas, of synthetic or corrected pages: the train split of each, labelled for every "
        "kind unless tagged otherwise, seen once an epoch",
    )
    family: str = _setting("yolo11n", "network: one of services/trainer/networks or of Ultralytics")
    size: int = _setting(640, "longer side of a page, px")
    kinds: int = _setting(1, "how many of signature, initials, stamp are learned")
    epochs: int = _setting(22, "how often all pages are gone through")
    batch: int = _setting(16, "windows a step")
    nominal_batch: int = _setting(32, "windows whose gradients are summed before the weights change")
    repeat: int = _setting(1, "how often an epoch sees each page of --data")
    crop: int = _setting(0, "side of the random windows trained on, px; 0: whole pages")
    whole: float = _setting(
        0.0,
        "share of batches (with --drawing, of windows) that show whole pages reduced to --crop, for a look at a "
        "smaller size",
    )
    freeze: int = _setting(0, "how many of the first layers keep the warm start's weights, which shortens a step")
    hours: float = _setting(0.0, "how long to train, instead of --epochs; 0: as long as these take")
    learning_rate: float = _setting(1e-3, "at its highest; it falls to nothing at the end")
    warmup: float = _setting(1.0, "epochs in which the rate rises")
    mosaic: float = _setting(0.3, "share of pictures put together of four")
    close_mosaic: int = _setting(8, "epochs at the end without such pictures")
    scale: float = _setting(
        0.3, "by how much pages are enlarged or reduced, but for a share that is shown as production shows it"
    )
    drawing: int = _setting(0, "processes that draw fresh pages meanwhile, for a GPU")
    drawn_share: float = _setting(0.85, "with --drawing: share of an epoch's windows that is cut from drawn pages")
    pool_room: int = _setting(4000, "with --drawing: drawn pages kept, the newest")
    epoch_windows: int = _setting(25_600, "with --drawing: windows an epoch")
    held_out: float = _setting(
        HELD_OUT_SHARE,
        "share of the groups of --data kept apart for choices and calibration; 0: learn from all of them",
    )
    seed: int = _setting(7, "of all that chance decides")
    threads: int = _setting(0, "threads to compute with; 0: one for each core")

    def __post_init__(self) -> None:
        if self.drawing and self.pool_room < 1:
            raise ValueError("there is no room for pages that are drawn: make pool_room at least 1")
        if self.drawing and self.epoch_windows < self.batch:
            raise ValueError(
                f"{self.epoch_windows} windows an epoch hold no batch of {self.batch}: raise epoch_windows"
            )


def train(settings: TrainingSettings) -> Path:
    """Run or resume one training and return the path of its best checkpoint.

    DatasetError: the data is not fit for it. ResumeError: the run was begun with other settings.
    """
    out = Path(settings.out)
    out.mkdir(parents=True, exist_ok=True)
    threads = runtime.prepare(out / "ultralytics", settings.threads or None)
    from services.trainer.ultralytics_trainer import finished, newest_checkpoint, run

    if best := finished(out):
        print(f"{out}: this run has come to its end; name another --out for a new one")
        return best
    if newest_checkpoint(out).exists():
        _refuse_other_settings(settings, out)
    pages = read_pages(Path(settings.data), "train")
    extra = {Path(folder): read_pages(Path(folder), "train") for folder in filter(None, settings.extra.split(","))}
    made = [page for part in extra.values() for page in part]
    _refuse_unknown_classes([*pages, *made])
    packing = Packing(out / "pages", settings.size, settings.held_out, settings.kinds, settings.repeat)
    data = pack(pages, made, packing)
    record_settings(settings, out, threads, {Path(settings.data): pages, **extra})
    return run(settings, data)


def _refuse_other_settings(settings: TrainingSettings, out: Path) -> None:
    begun = json.loads(_record(out).read_text())["settings"]
    changed = [
        name
        for name, value in asdict(settings).items()
        if name not in _MAY_CHANGE and _spelled_out(name, begun.get(name, value)) != _spelled_out(name, value)
    ]
    if changed:
        named = ", ".join(f"--{name.replace('_', '-')} {begun[name]!r}" for name in changed)
        raise ResumeError(f"{out}: this run was begun with {named}: resume it so, or name another --out for a new one")


def _spelled_out(name: str, value: Any) -> Any:
    """A folder may be named in several ways: from here or from the root, with a slash behind it or not."""
    return [Path(one).resolve() for one in value.split(",") if one] if name in _FOLDERS else value


def _refuse_unknown_classes(pages: Sequence[LabelledPage]) -> None:
    problems = [str(problem) for page in pages for problem in unknown_classes(page)]
    if problems:
        raise DatasetError("\n".join(problems))


def _record(out: Path) -> Path:
    return out / "settings.json"


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
    _record(out).write_text(json.dumps(record, indent=2) + "\n")


def _pinned(folder: Path, pages: list[LabelledPage]) -> dict[str, Any]:
    """What pins a part of the data: its version, which is a hash over every file and box, and its counts."""
    manifest = describe(folder, pages, {})
    return {"folder": folder.name, "version": manifest["version"], "counts": manifest["counts"]["all"]}


def parse_arguments(arguments: list[str] | None = None) -> TrainingSettings:
    """Turn the command line into settings: one option for each field."""
    parser = argparse.ArgumentParser(
        prog="python -m services.trainer.training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for setting in fields(TrainingSettings):
        required = setting.default is MISSING
        parser.add_argument(
            f"--{setting.name.replace('_', '-')}",
            type={"str": str, "int": int, "float": float}[str(setting.type)],
            required=required,
            default=None if required else setting.default,
            help=setting.metadata["help"] + ("" if required or setting.default == "" else " (default: %(default)s)"),
        )
    options = parser.parse_args(arguments)
    try:
        return TrainingSettings(**vars(options))
    except ValueError as error:
        parser.error(str(error))


def main() -> None:
    """Train as the command line says; what is wrong with the data or the settings is said in a line."""
    settings = parse_arguments()
    try:
        print(train(settings))
    except (DatasetError, ResumeError) as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
