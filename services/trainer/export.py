"""Turns a run's last checkpoint into a model version: its weights as .pt and ONNX, and model.json.

    python -m services.trainer.export --run RUN --version 17 --out OUT/signatures/17

Of several runs, each begun where the one before ended, the weights are averaged: what one of them learned from chance
weighs less then. An earlier version's folder, or its weights, may stand for a run, but for the last.

The version's scores are raw and its thresholds placeholders until ``paraphe model calibrate`` has measured them: not
before that does it belong into models/, whose highest version a worker takes when it starts. Networks for one look each
are joined into one version by services.trainer.joining.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from services.trainer import runtime
from services.trainer.release import Release, parser_of, recorded, say_what_is_next

_KEPT_ARGUMENTS = ("task", "imgsz", "single_cls")  # the rest names folders of the machine that trained
_FOLDERS = frozenset({"data", "out", "warm_start", "extra"})
_FORMATS = {"onnx": "onnx", "pytorch": "pt"}


def export(runs: Sequence[Path], out: Path, release: Release) -> dict[str, Any]:
    """Write model.pt, model.onnx and model.json under out and return what model.json holds: of the last run."""
    runtime.prepare(runs[-1] / "ultralytics")
    record = json.loads((runs[-1] / "settings.json").read_text())
    release = replace(release, sizes=release.sizes or (record["settings"]["size"],))
    out.mkdir(parents=True, exist_ok=True)
    weights = out / "model.pt"
    clean_checkpoint([last_checkpoint(run) for run in runs], weights)
    _export_onnx(weights, release.sizes[0])
    description = release.described(record.get("classes", ["signature"]), _origin(record, averaged=len(runs)))
    description["files"] = {kind: recorded(out / f"model.{suffix}") for kind, suffix in _FORMATS.items()}
    (out / "model.json").write_text(json.dumps(description, indent=2) + "\n")
    return description


def last_checkpoint(run: Path) -> Path:
    """The run's newest: its rate has fallen furthest, and a few dozen held-out pages cannot tell epochs apart.

    Of a model version's folder, the weights; a file of weights is itself.
    """
    if run.is_file():
        return run
    exported = run / "model.pt"
    return exported if exported.exists() else run / "run" / "weights" / "last.pt"


def clean_checkpoint(checkpoints: Sequence[Path], target: Path) -> None:
    """Write a half-precision inference checkpoint with the mean of the weights: no optimizer, no machine's paths."""
    import torch

    *others, stored = [torch.load(path, map_location="cpu", weights_only=False) for path in checkpoints]
    model = _weights_of(stored)
    model.load_state_dict(_mean([*(_weights_of(one).state_dict() for one in others), model.state_dict()]))
    model.args = {key: value for key, value in dict(model.args).items() if key in _KEPT_ARGUMENTS}
    model.criterion = None
    for attribute in ("pt_path", "yaml_file"):  # folders again
        model.__dict__.pop(attribute, None)
    model.yaml["yaml_file"] = Path(model.yaml["yaml_file"]).name  # of one of our own networks, with its folder
    for parameter in model.parameters():
        parameter.requires_grad = False
    arguments = {key: value for key, value in stored["train_args"].items() if key in _KEPT_ARGUMENTS}
    kept = {key: stored[key] for key in ("date", "version", "license") if key in stored}
    torch.save({**kept, "epoch": -1, "model": model.half(), "train_args": arguments}, target)


def _weights_of(stored: dict[str, Any]) -> Any:
    return (stored.get("ema") or stored["model"]).float()


def _mean(states: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Counters of batches seen are no weights: the last one's stay."""
    last = states[-1]
    return {
        name: sum(one[name] for one in states) / len(states) if value.is_floating_point() else value
        for name, value in last.items()
    }


def _export_onnx(weights: Path, size: int) -> None:
    """float32 but for how weights are stored; dynamic batch, height and width, no suppression inside."""
    import onnx

    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(shutil.copy(weights, scratch))
        written = runtime.load_model(copy).export(format="onnx", dynamic=True, imgsz=size, simplify=False, nms=None)
        model = onnx.load(str(written))
    for node in model.graph.node:
        node.doc_string = ""  # holds the exporting machine's source paths
        del node.metadata_props[:]
    _store_halves(model.graph)
    onnx.save(model, str(weights.with_suffix(".onnx")))


def _store_halves(graph: Any) -> None:
    """Store weights of convolutions as float16, as the .pt does, and turn them back where they are used.

    Runtimes do that once, when they load a network, and compute in float32 as before.
    """
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    stored = [tensor for tensor in graph.initializer if tensor.data_type == TensorProto.FLOAT and len(tensor.dims) > 1]
    for tensor in stored:
        name = tensor.name
        half = numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(half, f"{name}_half"))
        graph.node.insert(0, helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))


def _origin(record: dict[str, Any], averaged: int) -> dict[str, Any]:
    """What a network came from, as model.json tells it."""
    settings = record["settings"]
    return {
        "family": settings["family"],
        "averaged_runs": averaged,
        "training": {key: value for key, value in settings.items() if key not in _FOLDERS},
        "versions": record["versions"],
        "dataset": record.get("dataset", []),
    }


def main(arguments: list[str] | None = None) -> None:
    """Command line of the module."""
    parser = parser_of("export", __doc__)
    parser.add_argument("--run", type=Path, action="append", required=True, help="several are averaged, the last leads")
    parser.add_argument(
        "--look",
        type=int,
        action="append",
        default=[],
        help="longer side of the input in px, once for each look at a page; default: one, as trained",
    )
    chosen = parser.parse_args(arguments)
    sizes = tuple(sorted(set(chosen.look), reverse=True))
    release = Release(chosen.name, chosen.version, sizes, chosen.small_print or 0)
    described = export(chosen.run, chosen.out, release)
    print(json.dumps(described, indent=2))
    say_what_is_next(chosen.out)


if __name__ == "__main__":
    main()
