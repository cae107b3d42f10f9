"""Which runtime carries out the forward: the one asked for, or the fastest that is installed."""

import importlib.util
from pathlib import Path
from typing import Literal, get_args

from services.detector.yolo.backends.backend import Backend, Precision
from services.detector.yolo.backends.by_size import NetworkForEachSize
from services.detector.yolo.nearer import part_size
from shared.domain.errors import ErrorCode, ParapheError
from shared.domain.model_version import ModelVersion
from shared.processor import usable_cores

BackendName = Literal["openvino", "onnxruntime", "pytorch"]

_MODULES: dict[BackendName, tuple[str, ...]] = {
    "openvino": ("openvino",),
    "onnxruntime": ("onnxruntime",),
    "pytorch": ("torch", "ultralytics"),
}
_EXTRAS: dict[BackendName, str] = {"openvino": "openvino", "onnxruntime": "onnxruntime", "pytorch": "torch"}
_FORMATS: dict[BackendName, str] = {"openvino": "onnx", "onnxruntime": "onnx", "pytorch": "pytorch"}


def choose_backend(
    model: ModelVersion,
    name: BackendName | Literal["auto"] = "auto",
    precision: Precision = "f32",
    threads: int | None = None,
) -> Backend:
    """Load all networks of ``model`` on a runtime, with ``threads`` CPU threads (default: all cores).

    ``auto`` is PyTorch when it can use CUDA, else OpenVINO, else ONNX Runtime, else PyTorch. Raises ParapheError
    naming what to install, or which weights the model lacks.
    """
    chosen = _automatic(model) if name == "auto" else name
    _check_usable(chosen, model)
    networks = [_load(chosen, path, precision, threads or usable_cores()) for path in model.files[_FORMATS[chosen]]]
    return networks[0] if len(networks) == 1 else NetworkForEachSize(_sizes(model)[: len(networks)], networks)


def _sizes(model: ModelVersion) -> list[int]:
    """Of the inputs of a version's networks: of each look, and of parts seen from near."""
    return [*model.input_sizes, part_size(model.input_sizes[0])]


def open_onnx(network: Path) -> Backend | None:
    """An ONNX file on the CPU, in float32, by whichever runtime is installed that reads it; None: there is none."""
    names: tuple[BackendName, ...] = ("openvino", "onnxruntime")
    usable = next((name for name in names if _installed(name)), None)
    return _load(usable, network, "f32", usable_cores()) if usable else None


def _automatic(model: ModelVersion) -> BackendName:
    fastest_first: tuple[BackendName, ...] = get_args(BackendName)
    usable = [name for name in fastest_first if _installed(name) and _FORMATS[name] in model.files]
    if "pytorch" in usable and _has_cuda():
        return "pytorch"
    if not usable:
        raise ParapheError(
            ErrorCode.INTERNAL_ERROR,
            f"No runtime for model {model.name}: pip install 'paraphe[openvino]' (or [onnxruntime], or [torch]).",
        )
    return usable[0]


def _check_usable(name: BackendName, model: ModelVersion) -> None:
    if not _installed(name):
        raise ParapheError(
            ErrorCode.INTERNAL_ERROR, f"The {name} backend is not installed: pip install 'paraphe[{_EXTRAS[name]}]'."
        )
    if _FORMATS[name] not in model.files:
        raise ParapheError(
            ErrorCode.INTERNAL_ERROR,
            f"Model {model.name} {model.version} has no {_FORMATS[name]} weights, which the {name} backend needs.",
        )


def _installed(name: BackendName) -> bool:
    return all(importlib.util.find_spec(module) for module in _MODULES[name])


def _has_cuda() -> bool:
    """Asked without importing torch, which takes seconds, when it is a build that cannot use CUDA anyway."""
    spec = importlib.util.find_spec("torch")
    if spec is None or not spec.origin or not (Path(spec.origin).parent / "lib" / "libtorch_cuda.so").exists():
        return False
    import torch

    return torch.cuda.is_available()


def _load(name: BackendName, weights: Path, precision: Precision, threads: int) -> Backend:
    """Each runtime is imported only here, when it was chosen."""
    if name == "openvino":
        from services.detector.yolo.backends.openvino_backend import OpenVinoBackend

        return OpenVinoBackend(weights, threads, precision)
    if name == "onnxruntime":
        from services.detector.yolo.backends.onnxruntime_backend import OnnxRuntimeBackend

        return OnnxRuntimeBackend(weights, threads)
    from services.detector.yolo.backends.pytorch_backend import PyTorchBackend

    return PyTorchBackend(weights, threads, precision)
