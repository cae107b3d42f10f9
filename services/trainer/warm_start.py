"""Loads a warm start whose batch normalisation was folded away, and puts the normalisation back.

Public int8 exports hold convolutions with batch normalisation folded in. Such weights compute the right thing in
inference, but training normalises by the batch: with identity statistics the very first step would wipe out every
scale the network learned. So the statistics are measured on real pages and written in such a way that the network
computes the same as before, in inference and in training.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from services.trainer.cropping import PADDING

_SCORE_LAYER = re.compile(r"\.cv3\.\d+\.2\.")  # the last of a branch of the head, with a row for each class
_PAGES_MEASURED = 24


def load_weights(model: nn.Module, archive: Path, kinds: Sequence[str], seed: int = 0) -> None:
    """Put the weights of a .npz state dict or a .pt checkpoint into the model, whose classes are kinds.

    Of a checkpoint with fewer channels the model becomes a wider copy; seed is of the noise that tells copies apart.
    Otherwise what fits is copied. A class's scores are taken from the checkpoint's class of that name, if it has one:
    a network that was trained for something else brings what it sees on pages, and not what it called it.
    """
    if archive.suffix == ".npz":
        with np.load(archive) as stored:
            _copy_fitting({name: torch.from_numpy(stored[name]) for name in stored.files}, (), model, kinds)
        return
    from services.trainer.widening import is_narrower, widen  # brings Ultralytics, which runtime prepares first

    checkpoint = torch.load(archive, map_location="cpu", weights_only=False)
    trained = checkpoint.get("ema") or checkpoint["model"]
    if is_narrower(trained, model):
        widen(trained, model, seed)
    else:
        _copy_fitting(trained.state_dict(), tuple(trained.names.values()), model, kinds)


def _copy_fitting(
    weights: dict[str, torch.Tensor], known_kinds: Sequence[str], model: nn.Module, kinds: Sequence[str]
) -> None:
    own = model.state_dict()
    rows = [(kinds.index(kind), row) for row, kind in enumerate(known_kinds) if kind in kinds]
    fitting = {
        name: _scores(own[name], tensor, rows) if _SCORE_LAYER.search(name) else tensor
        for name, tensor in weights.items()
        if name in own and _fits(name, tensor, own[name])
    }
    model.load_state_dict(fitting, strict=False)


def _fits(name: str, tensor: torch.Tensor, own: torch.Tensor) -> bool:
    if _SCORE_LAYER.search(name):
        return tensor.shape[1:] == own.shape[1:]
    return tensor.shape == own.shape


def _scores(own: torch.Tensor, known: torch.Tensor, rows: Sequence[tuple[int, int]]) -> torch.Tensor:
    """The model's own score layer with some rows, one a class, taken from another: pairs of where to and from where."""
    taught = own.clone()
    for to, taken in rows:
        taught[to] = known[taken].to(own.dtype)
    return taught


def restore_normalization(model: nn.Module, pages: Sequence[Path], size: int) -> None:
    """Measure what flows into every batch normalisation and rewrite it to that, the network's function unchanged."""
    chosen = pages[:: max(1, len(pages) // _PAGES_MEASURED)][:_PAGES_MEASURED]
    layers = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    moments = [_Moments(layer) for layer in layers]
    model.eval()
    with torch.no_grad():
        for page in chosen:
            model(_as_input(page, size))
    for layer, measured in zip(layers, moments, strict=True):
        measured.hook.remove()
        if measured.count:
            _rewrite(layer, *measured.mean_and_variance())
    model.train()


class _Moments:
    """Adds up, for each channel, what a layer is given."""

    def __init__(self, layer: nn.BatchNorm2d) -> None:
        self.count, self.total = 0, torch.zeros(layer.num_features, dtype=torch.float64)
        self.squares = torch.zeros_like(self.total)
        self.hook = layer.register_forward_pre_hook(self._add)

    def _add(self, _: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        values = given[0].double()
        self.count += values.numel() // values.shape[1]
        self.total += values.sum((0, 2, 3))
        self.squares += values.square().sum((0, 2, 3))

    def mean_and_variance(self) -> tuple[torch.Tensor, torch.Tensor]:
        mean = self.total / self.count
        return mean, (self.squares / self.count - mean.square()).clamp(min=0)


def _rewrite(layer: nn.BatchNorm2d, mean: torch.Tensor, variance: torch.Tensor) -> None:
    """New statistics; weight and bias change so that inference gives what it gave with the old ones."""
    if layer.running_mean is None or layer.running_var is None:
        return
    slope = layer.weight.detach().double() / (layer.running_var.double() + layer.eps).sqrt()
    offset = layer.bias.detach().double() - layer.running_mean.double() * slope
    layer.weight.data = (slope * (variance + layer.eps).sqrt()).float()
    layer.bias.data = (offset + mean * slope).float()
    layer.running_mean.copy_(mean)
    layer.running_var.copy_(variance)


def _as_input(page: Path, size: int) -> torch.Tensor:
    with Image.open(page) as opened:
        image = opened.convert("RGB")
    image.thumbnail((size, size), Image.Resampling.BOX)
    square = Image.new("RGB", (size, size), (PADDING,) * 3)
    square.paste(image)
    return torch.from_numpy(np.array(square)).permute(2, 0, 1)[None].float() / 255
