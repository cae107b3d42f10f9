"""Calibration is folded into the weights; exported checkpoints carry nothing of the machine that made them."""

from pathlib import Path
from typing import Any

import pytest
import torch

from services.trainer import runtime
from services.trainer.calibration import Calibration
from services.trainer.export import clean_checkpoint, fold_calibration


@pytest.fixture
def model(tmp_path: Path) -> Any:
    runtime.prepare(tmp_path)
    torch.manual_seed(1)
    built = runtime.load_model("yolo11n.yaml").model.eval()
    built.args = {"task": "detect", "imgsz": 640, "data": "/home/somebody/data.yaml"}
    built.pt_path = "/home/somebody/last.pt"
    return built


def scores(model: Any) -> torch.Tensor:
    torch.manual_seed(2)
    with torch.no_grad():
        return torch.as_tensor(model(torch.rand(1, 3, 64, 64))[0])[:, 4:]


def test_folded_scores_are_the_calibrated_scores(model: Any) -> None:
    calibration = Calibration(slope=0.7, offset=1.5)
    before = scores(model).double().numpy()
    fold_calibration(model, calibration)
    assert scores(model).numpy() == pytest.approx(calibration.apply(before), rel=1e-3, abs=1e-6)


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
    clean_checkpoint(checkpoint, tmp_path / "model.pt", Calibration())
    assert b"somebody" not in (tmp_path / "model.pt").read_bytes()
    assert next(runtime.load_model(tmp_path / "model.pt").model.parameters()).dtype == torch.float32
