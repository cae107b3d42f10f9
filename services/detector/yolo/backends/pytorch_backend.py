"""PyTorch with Ultralytics' own network classes: CUDA where there is one, else the CPU."""

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from services.detector.yolo.arrays import Floats
from services.detector.yolo.backends.backend import Precision
from shared.processor import has_bf16

# Before its import: Ultralytics must neither look for the network nor write settings into a home folder.
os.environ.setdefault("YOLO_OFFLINE", "1")
os.environ.setdefault("YOLO_AUTOINSTALL", "False")
os.environ.setdefault("YOLO_CONFIG_DIR", str(Path(tempfile.gettempdir()) / "paraphe-ultralytics"))
# OpenMP's threads wait by spinning; where decoding wants the same cores that makes a forward ten times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch


class PyTorchBackend:
    """An Ultralytics checkpoint (.pt). It is unpickled, so it must be a file we checked or the caller trusts."""

    name = "pytorch"

    def __init__(self, checkpoint: Path, threads: int, precision: Precision = "f32") -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.device = torch.cuda.get_device_name() if self._device.type == "cuda" else "CPU"
        self._reduced = precision == "auto" and (self._device.type == "cuda" or has_bf16(torch.cpu.get_capabilities()))
        network = _unpickled(checkpoint)
        torch.set_num_threads(threads)  # after the import of Ultralytics, which sets its own idea
        self._network = network.float().fuse(verbose=False).eval().to(self._device, memory_format=torch.channels_last)
        self.preferred_batch = 32 if self._device.type == "cuda" else 2
        if precision == "f32":
            torch.backends.cuda.matmul.allow_tf32 = False
            torch.backends.cudnn.allow_tf32 = False

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names as the checkpoint has them, in the order of the scores."""
        return tuple(self._network.names[index] for index in sorted(self._network.names))

    def infer(self, batch: Floats) -> Floats:
        """See Backend."""
        with torch.inference_mode(), torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._reduced):
            pages = torch.from_numpy(batch).to(self._device).contiguous(memory_format=torch.channels_last)
            output = self._network(pages)
        first = output[0] if isinstance(output, tuple | list) else output
        return np.asarray(first.float().cpu().numpy())


def _unpickled(checkpoint: Path) -> Any:
    stored = torch.load(checkpoint, map_location="cpu", weights_only=False)
    return stored.get("ema") or stored["model"]
