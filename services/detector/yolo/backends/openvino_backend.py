"""OpenVINO on the CPU: the fastest there."""

from pathlib import Path
from typing import Any

import numpy as np
import openvino

from services.detector.yolo.arrays import Floats
from services.detector.yolo.backends.backend import Precision

_PAGES_A_STREAM = 2


class OpenVinoBackend:
    """Compiles the network once for each input shape, in two ways.

    A lone page gets all cores, for the shortest wait. Several pages run side by side, each on cores of its own: more
    pages a second, the more so on a busy machine, where cores that share one page would wait for each other.
    """

    name = "openvino"
    device = "CPU"

    def __init__(self, model: Path, threads: int, precision: Precision = "f32") -> None:
        self._core = openvino.Core()
        self._model = model
        self._options: dict[str, Any] = {"INFERENCE_NUM_THREADS": threads}
        if precision == "f32":
            self._options["INFERENCE_PRECISION_HINT"] = "f32"
        self._alone: dict[tuple[int, ...], Any] = {}
        self._together: dict[tuple[int, ...], Any] = {}
        self.preferred_batch = max(2, threads) * _PAGES_A_STREAM

    def infer(self, batch: Floats) -> Floats:
        """See Backend."""
        if len(batch) == 1:
            return self._infer_one(batch)
        batch = np.ascontiguousarray(batch)  # or the runtime would read copies that are gone by then
        queue = self._queue(batch.shape[1:])
        results: list[Any] = [None] * len(batch)
        queue.set_callback(lambda request, index: results.__setitem__(index, request.get_output_tensor(0).data.copy()))
        for index in range(len(batch)):
            queue.start_async({0: batch[index : index + 1]}, index, share_inputs=True)
        queue.wait_all()
        return np.concatenate(results)

    def _infer_one(self, page: Floats) -> Floats:
        shape = page.shape[1:]
        if shape not in self._alone:
            self._alone[shape] = self._compiled(shape, "LATENCY").create_infer_request()
        result = self._alone[shape].infer({0: page}, share_inputs=True)
        return np.array(result[0])

    def _queue(self, shape: tuple[int, ...]) -> Any:
        if shape not in self._together:
            self._together[shape] = openvino.AsyncInferQueue(self._compiled(shape, "THROUGHPUT"))
        return self._together[shape]

    def _compiled(self, shape: tuple[int, ...], hint: str) -> Any:
        network = self._core.read_model(self._model)
        network.reshape([1, *shape])
        return self._core.compile_model(network, "CPU", {**self._options, "PERFORMANCE_HINT": hint})
