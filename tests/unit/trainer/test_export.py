"""Exported weights carry nothing of the machine that made them, are small, and find the same in both formats."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from services.trainer import runtime
from services.trainer.export import clean_checkpoint, export, last_checkpoint
from services.trainer.release import Release
from services.trainer.ultralytics_trainer import architecture


@pytest.fixture
def model() -> Any:
    torch.manual_seed(1)
    built = runtime.load_model("yolo11n.yaml").model.eval()
    built.args = {"task": "detect", "imgsz": 640, "data": "/home/somebody/data.yaml"}
    built.pt_path = "/home/somebody/last.pt"
    built.yaml["yaml_file"] = "/home/somebody/networks/yolo11n.yaml"
    return built


def test_a_clean_checkpoint_names_no_folder_and_still_loads(model: Any, tmp_path: Path) -> None:
    checkpoint = tmp_path / "last.pt"
    stored = {
        "ema": model.half(),
        "model": None,
        "optimizer": {"state": torch.zeros(1000)},
        "train_args": {"imgsz": 640, "task": "detect", "data": "/home/somebody/data.yaml"},
        "git": {"root": "/home/somebody"},
        "version": "8",
    }
    torch.save(stored, checkpoint)
    clean_checkpoint([checkpoint], tmp_path / "model.pt")
    assert b"somebody" not in (tmp_path / "model.pt").read_bytes()
    assert next(runtime.load_model(tmp_path / "model.pt").model.parameters()).dtype == torch.float32


def test_of_several_runs_the_weights_are_averaged(model: Any, tmp_path: Path) -> None:
    checkpoints = [tmp_path / "one.pt", tmp_path / "two.pt"]
    for checkpoint, value in zip(checkpoints, (1.0, 4.0), strict=True):
        for parameter in model.parameters():
            torch.nn.init.constant_(parameter, value)
        torch.save({"ema": model, "train_args": {"task": "detect"}}, checkpoint)
    clean_checkpoint(checkpoints, tmp_path / "model.pt")
    assert {float(one.mean()) for one in runtime.load_model(tmp_path / "model.pt").model.parameters()} == {2.5}


def test_a_run_and_a_version_both_have_weights_to_average(tmp_path: Path) -> None:
    run, version = tmp_path / "run", tmp_path / "3"
    version.mkdir()
    (version / "model.pt").touch()
    assert last_checkpoint(run) == run / "run" / "weights" / "last.pt"
    assert last_checkpoint(version) == version / "model.pt"
    assert last_checkpoint(version / "model.pt") == version / "model.pt"


def test_both_formats_store_halves_and_tell_the_same(model: Any, tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "1"
    (run / "run/weights").mkdir(parents=True)
    torch.save({"ema": model, "train_args": {"task": "detect"}}, run / "run/weights/last.pt")
    (run / "settings.json").write_text(json.dumps({"settings": {"size": 64, "family": "yolo11n"}, "versions": {}}))
    export([run], out, Release("signatures", "1"))
    weights, network = out / "model.pt", out / "model.onnx"
    assert network.stat().st_size < 1.05 * weights.stat().st_size
    picture = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        expected = runtime.load_model(weights).model.eval()(picture)[0]
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    (told,) = session.run(None, {session.get_inputs()[0].name: picture.numpy()})
    assert told.dtype == np.float32
    np.testing.assert_allclose(told, expected, rtol=0.01, atol=0.01)


@pytest.mark.parametrize("family", ["yolo11n-end2end", "yolo11n-distances"])
def test_of_the_head_of_yolo26_the_detector_is_given_the_branch_it_reads(family: str) -> None:
    network = runtime.load_model(architecture(family)).model.eval()
    boxes_and_scores, _ = network(torch.rand(1, 3, 64, 64))
    assert boxes_and_scores.shape == (1, 4 + 3, 8 * 8 + 4 * 4 + 2 * 2)
