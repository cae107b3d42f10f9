"""Makes torchvision importable beside a CPU-only torch.

PyPI's torchvision wheel links its operators to CUDA. Beside a CPU build of torch they do not load, and importing
torchvision then fails although Ultralytics needs no more of it than its metadata and non-maximum suppression.
Where the real operators load, nothing here takes effect.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any

_NMS = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_libraries: list[Any] = []  # torch drops an operator library when its object is collected


def ensure_torchvision() -> bool:
    """Import torchvision, standing in for its operators where they cannot load; True when the stand-in is active."""
    if "torchvision" in sys.modules:
        return bool(_libraries)
    if not _real_operators_load():
        _define_operators()
        _report_operators_present()
    importlib.import_module("torchvision")
    return bool(_libraries)


def _real_operators_load() -> bool:
    torch = importlib.import_module("torch")
    spec = importlib.util.find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("torchvision is not installed")
    try:
        torch.ops.load_library(f"{next(iter(spec.submodule_search_locations))}/_C.so")
    except OSError:
        return False
    return True


def _define_operators() -> None:
    library = importlib.import_module("torch.library").Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(name + _NMS)
    library.impl("nms", _nms, "CPU")
    _libraries.append(library)


def _nms(dets: Any, scores: Any, iou_threshold: float) -> Any:
    from ultralytics.utils.nms import TorchNMS

    return TorchNMS.nms(dets, scores, iou_threshold)


def _report_operators_present() -> None:
    """Ultralytics asks torchvision whether it has operators; ours count. Set after the import, which registers more."""
    extension: Any = importlib.import_module("torchvision.extension")
    extension._has_ops = lambda: True
