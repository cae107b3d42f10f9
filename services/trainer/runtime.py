"""Brings Ultralytics up quietly: no network call, no package installed behind one's back, every core in use."""

from __future__ import annotations

import importlib
import os
import shutil
from pathlib import Path
from typing import Any

from services.trainer.torchvision_shim import ensure_torchvision
from shared.processor import usable_cores


def prepare(config_folder: Path, threads: int | None = None) -> int:
    """Set up Ultralytics before its first import and return the number of compute threads it will use.

    config_folder keeps Ultralytics' own settings and font; threads is by default one per core.
    """
    count = threads or usable_cores()
    os.environ.update(
        YOLO_OFFLINE="1", YOLO_AUTOINSTALL="False", YOLO_CONFIG_DIR=str(config_folder), OMP_NUM_THREADS=str(count)
    )
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that spin while they wait starve a shared machine
    _place_font(config_folder)
    ensure_torchvision()
    torch_utils: Any = importlib.import_module("ultralytics.utils.torch_utils")
    torch_utils.NUM_THREADS = count  # Ultralytics would leave one core idle and set it again on every device choice
    # It patches Pillow to look for a HEIF plugin when a file is no image; without the plugin that hides the real error.
    patches: Any = importlib.import_module("ultralytics.utils.patches")
    patches._pil_plugins_registered = True
    importlib.import_module("torch").set_num_threads(count)
    importlib.import_module("ultralytics").settings.update({"sync": False, "tensorboard": False, "mlflow": False})
    return count


def load_model(weights: Path | str) -> Any:
    """An Ultralytics model from a checkpoint, an ONNX file or the name of an architecture; prepare() must have run."""
    return importlib.import_module("ultralytics").YOLO(str(weights), task="detect")


def _place_font(config_folder: Path) -> None:
    """Ultralytics downloads Arial for its plots unless a font lies where it looks: give it matplotlib's DejaVu."""
    import matplotlib

    target = config_folder / "Ultralytics" / "Arial.ttf"
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        shutil.copyfile(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", target)
