"""ONNX Runtime on the CPU: the smallest install."""

from pathlib import Path

import numpy as np
import onnxruntime

from services.detector.yolo.arrays import Floats


class OnnxRuntimeBackend:
    """The network as exported, float32. A batch gains nothing on a CPU, so pages run one after the other."""

    name = "onnxruntime"
    device = "CPU"
    preferred_batch = 2

    def __init__(self, model: Path, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Threads that wait by spinning take the cores that decode the next page.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def infer(self, batch: Floats) -> Floats:
        """See Backend."""
        pages = [self._session.run(None, {self._input: batch[index : index + 1]})[0] for index in range(len(batch))]
        return np.concatenate(pages)
