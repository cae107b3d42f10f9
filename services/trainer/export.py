"""Turns a checkpoint into a model version: calibrated weights as .pt and ONNX, thresholds, model.json.

    python -m services.trainer.export --run RUN --data DIR --version 3 --out models/signatures/3

Calibration and thresholds come from the held-out part of the train split, which the run never trained on, and from
whatever other folders of labelled pages --also names: a few dozen real pages alone leave the thresholds to chance.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from services.trainer import runtime
from services.trainer.calibration import Calibration, calibration_of, choose_thresholds
from services.trainer.dataset import LabelledPage, read_pages
from services.trainer.evaluation import examine
from services.trainer.metrics import ExaminedPage
from services.trainer.packing import is_held_out
from services.trainer.ultralytics_predict import UltralyticsPredictor
from shared.domain.verdict import Thresholds

_PRODUCTION_OVERLAP = 0.5  # as the detector suppresses
_KEPT_ARGUMENTS = ("task", "imgsz", "single_cls")  # the rest names folders of the machine that trained


@dataclass(frozen=True)
class Release:
    """What a version is called and made of; size: longer side of its input in pixels, or as trained."""

    name: str
    version: str
    size: int | None = None


def export(run: Path, data: Path, out: Path, release: Release, also: Sequence[Path] = ()) -> dict[str, Any]:
    """Write model.pt, model.onnx and model.json under out and return what model.json holds."""
    runtime.prepare(run / "ultralytics")
    record = json.loads((run / "settings.json").read_text())
    settings = record["settings"]
    pages = [page for page in read_pages(data, "train") if is_held_out(page.group, settings["held_out"])]
    pages += [page for folder in also for page in read_pages(folder)]
    out.mkdir(parents=True, exist_ok=True)
    weights = out / "model.pt"
    size = release.size or settings["size"]
    calibration, thresholds = _calibrated_weights(best_checkpoint(run), weights, pages, size)
    _export_onnx(weights, size)
    description = _description(record, replace(release, size=size), thresholds, calibration)
    description["files"] = {kind: _file(out / f"model.{kind_suffix}") for kind, kind_suffix in _FORMATS.items()}
    (out / "model.json").write_text(json.dumps(description, indent=2) + "\n")
    return description


_FOLDERS = frozenset({"data", "out", "warm_start", "extra"})
_FORMATS = {"onnx": "onnx", "pytorch": "pt"}


def best_checkpoint(run: Path) -> Path:
    """The run's best checkpoint so far."""
    return run / "run" / "weights" / "best.pt"


def clean_checkpoint(checkpoint: Path, target: Path, calibration: Calibration) -> None:
    """Write a half-precision inference checkpoint: no optimizer, no machine's paths, calibration folded in."""
    import torch

    stored = torch.load(checkpoint, map_location="cpu", weights_only=False)
    model = (stored.get("ema") or stored["model"]).float()
    fold_calibration(model, calibration)
    model.args = {key: value for key, value in dict(model.args).items() if key in _KEPT_ARGUMENTS}
    model.criterion = None
    for attribute in ("pt_path", "yaml_file"):  # folders again
        model.__dict__.pop(attribute, None)
    for parameter in model.parameters():
        parameter.requires_grad = False
    arguments = {key: value for key, value in stored["train_args"].items() if key in _KEPT_ARGUMENTS}
    kept = {key: stored[key] for key in ("date", "version", "license") if key in stored}
    torch.save({**kept, "epoch": -1, "model": model.half(), "train_args": arguments}, target)


def fold_calibration(model: Any, calibration: Calibration) -> None:
    """Scale and shift the class scores' last convolutions so that their sigmoid is the calibrated confidence."""
    for branch in model.model[-1].cv3:
        last = branch[-1]
        last.weight.data *= calibration.slope
        last.bias.data = last.bias.data * calibration.slope + calibration.offset


def _calibrated_weights(
    checkpoint: Path, weights: Path, pages: list[LabelledPage], size: int
) -> tuple[Calibration, Thresholds]:
    """Calibration changes no ranking, so the thresholds follow from the same examination, its scores corrected."""
    clean_checkpoint(checkpoint, weights, Calibration())
    examined = _examined(weights, pages, size)
    calibration = calibration_of(examined)
    clean_checkpoint(checkpoint, weights, calibration)
    corrected = [replace(page, confidence=calibration.apply(page.confidence)) for page in examined]
    return calibration, choose_thresholds(corrected)


def _examined(weights: Path, pages: list[LabelledPage], size: int) -> list[ExaminedPage]:
    predict = UltralyticsPredictor(weights, size, floor=0.01, overlap=_PRODUCTION_OVERLAP)
    return [one.page for one in examine(pages, predict)]


def _export_onnx(weights: Path, size: int) -> None:
    """float32, dynamic batch, height and width, no suppression inside."""
    import onnx

    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(shutil.copy(weights, scratch))
        written = runtime.load_model(copy).export(format="onnx", dynamic=True, imgsz=size, simplify=False, nms=None)
        model = onnx.load(str(written))
    for node in model.graph.node:
        node.doc_string = ""  # holds the exporting machine's source paths
        del node.metadata_props[:]
    onnx.save(model, str(weights.with_suffix(".onnx")))


def _file(path: Path) -> dict[str, str]:
    return {"path": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def _description(
    record: dict[str, Any], release: Release, thresholds: Thresholds, calibration: Calibration
) -> dict[str, Any]:
    settings = record["settings"]
    return {
        "name": release.name,
        "version": release.version,
        "family": settings["family"],
        "classes": record.get("classes", ["signature"]),
        "input_size": release.size,
        "thresholds": {"accept": thresholds.accept, "review": thresholds.review},
        "calibration": {"slope": round(calibration.slope, 4), "offset": round(calibration.offset, 4)},
        "training": {key: value for key, value in settings.items() if key not in _FOLDERS},
        "versions": record["versions"],
        "dataset": record.get("dataset", []),
        "metrics": {},
        "licence": "AGPL-3.0-or-later",
    }


def main(arguments: list[str] | None = None) -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(prog="python -m services.trainer.export", description=__doc__)
    for option in ("run", "data", "out"):
        parser.add_argument(f"--{option}", type=Path, required=True)
    parser.add_argument("--name", default="signatures")
    parser.add_argument("--version", required=True)
    parser.add_argument("--size", type=int, help="longer side of the input in px; default: as trained")
    parser.add_argument("--also", type=Path, action="append", default=[], help="more labelled pages to calibrate on")
    chosen = parser.parse_args(arguments)
    release = Release(chosen.name, chosen.version, chosen.size)
    described = export(chosen.run, chosen.data, chosen.out, release, chosen.also)
    print(json.dumps(described, indent=2))


if __name__ == "__main__":
    main()
