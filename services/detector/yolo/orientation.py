"""Which way up a page lies, as a small network of its own tells it (models/orientation).

It is right about nineteen pages of twenty: reason enough to look again, and none to believe it.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import structlog
from PIL import Image

from services.detector.yolo.arrays import Bytes, Floats
from services.detector.yolo.backends.backend import Backend
from services.detector.yolo.backends.choice import open_onnx

log = structlog.get_logger(__name__)

WEIGHTS = Path("orientation", "orientation.onnx")
"""Where they lie in the folder of models."""

_SIDE = 224
_SHARE = 224 / 256
"""Of the page's shorter side that the network is shown, from its middle: as it was trained."""

_MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)[:, None, None]
_SPREAD = np.array([0.229, 0.224, 0.225], dtype=np.float32)[:, None, None]


class Orientation:
    """Tells how pages lie. One thread at a time."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def turns(self, middles: Sequence[Floats]) -> list[int]:
        """By how many quarters each page, given by its ``middle``, has to be turned to the left to be upright, 0..3."""
        return [int(scores.argmax()) for scores in self._backend.infer(np.stack(middles))]


def load_orientation(models: Path) -> Orientation | None:
    """From the folder of models; None where it has no such network, or nothing is installed that can run it."""
    backend = open_onnx(models / WEIGHTS) if (models / WEIGHTS).is_file() else None
    if backend is None:
        log.warning("pages are looked at as they lie", wanted=f"{models / WEIGHTS}, and OpenVINO or ONNX Runtime")
    return Orientation(backend) if backend else None


def middle(raster: Bytes) -> Floats:
    """The middle of a page's raster [height, width, 3], as the network wants it: [3, 224, 224]."""
    height, width = raster.shape[:2]
    side = max(1, round(min(height, width) * _SHARE))
    top, left = (height - side) // 2, (width - side) // 2
    square = Image.fromarray(np.ascontiguousarray(raster[top : top + side, left : left + side]))
    small = np.asarray(square.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR), dtype=np.float32) / 255
    return np.asarray((small.transpose(2, 0, 1) - _MEAN) / _SPREAD)
