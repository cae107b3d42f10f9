"""One model version: what the detector loads and what every result names."""

from dataclasses import dataclass
from pathlib import Path

from shared.domain.verdict import Thresholds


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """Weights with everything needed to use them. ``input_size`` is the longer side of the network's input in pixels;
    ``classes`` are in the order of the network's class scores; ``files`` maps a format (``onnx``, ``pytorch``) to a
    path whose content has been checked against its recorded sha256."""

    name: str
    version: str
    classes: tuple[str, ...]
    input_size: int
    thresholds: Thresholds
    files: dict[str, Path]
