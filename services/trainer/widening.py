"""Makes of a trained YOLO11 a wider one that computes the same, so that a larger network begins where a small one is.

Every channel is repeated, and what reads it takes a share from each copy: Net2Wider (Chen, Goodfellow and Shlens 2016,
arXiv:1511.05641). The shares differ by noise that cancels, so that the copies learn different things from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from ultralytics.nn.modules import C2PSA, SPPF, C3k2, Concat, Conv, Detect
from ultralytics.nn.modules.block import C3k

_NOISE = 0.5  # of the deviation of the weights it is added to

Layer = Any  # torch tells no type of a module's parts

# For each channel of a tensor in the wide network, which channel of the narrow one it repeats.
Origins = torch.Tensor


def is_narrower(network: nn.Module, other: nn.Module) -> bool:
    """Whether network has fewer channels than other where the detection head begins."""
    return bool(_widths(network) < _widths(other))


def widen(narrow: nn.Module, wide: nn.Module, seed: int) -> None:
    """Fill wide so that it computes what narrow does.

    Both are Ultralytics' detection networks of the YOLO11 family with the same layers and kinds; wide's layers have
    once, twice, three times... as many channels. ValueError if not.
    """
    narrow_layers, wide_layers = _layers(narrow), _layers(wide)
    if [type(layer) for layer in narrow_layers] != [type(layer) for layer in wide_layers]:
        raise ValueError("Only a network with the same layers can be widened: choose a family of the same kind.")
    generator = torch.Generator().manual_seed(seed)
    widening, made = _Widening(generator), list[Origins]()
    for layer, wider in zip(narrow_layers, wide_layers, strict=True):
        sources = [layer.f] if isinstance(layer.f, int) else layer.f
        given = [made[source] if made else torch.arange(3) for source in sources]
        made.append(widening.layer(layer, wider, given))


def _layers(network: Layer) -> list[Layer]:
    return list(network.model)


def _widths(network: nn.Module) -> list[int]:
    *_, head = _layers(network)
    return [branch[0].conv.in_channels for branch in head.cv2]


class _Widening:
    """Goes through the layers from the page on; each method fills a wide layer and returns its channels' origins."""

    def __init__(self, generator: torch.Generator) -> None:
        self._generator = generator

    def layer(self, narrow: Layer, wide: Layer, given: Sequence[Origins]) -> Origins:
        if isinstance(wide, Concat):
            return _side_by_side(given)
        if isinstance(wide, Detect):
            return self._detect(narrow, wide, given)
        fill = {Conv: self._conv, C3k2: self._c3k2, SPPF: self._sppf, C2PSA: self._c2psa}.get(type(wide))
        return fill(narrow, wide, given[0]) if fill else given[0]  # upsampling holds no weights

    def _c3k2(self, narrow: Layer, wide: Layer, given: Origins) -> Origins:
        parts = _halves(self._conv(narrow.cv1, wide.cv1, given, parts=2))
        for block, wider in zip(narrow.m, wide.m, strict=True):
            fill = self._c3k if isinstance(wider, C3k) else self._bottleneck
            parts.append(fill(block, wider, parts[-1]))
        return self._conv(narrow.cv2, wide.cv2, _side_by_side(parts))

    def _c3k(self, narrow: Layer, wide: Layer, given: Origins) -> Origins:
        deep = self._conv(narrow.cv1, wide.cv1, given)
        for block, wider in zip(narrow.m, wide.m, strict=True):
            deep = self._bottleneck(block, wider, deep)
        straight = self._conv(narrow.cv2, wide.cv2, given)
        return self._conv(narrow.cv3, wide.cv3, _side_by_side([deep, straight]))

    def _bottleneck(self, narrow: Layer, wide: Layer, given: Origins) -> Origins:
        return self._conv(narrow.cv2, wide.cv2, self._conv(narrow.cv1, wide.cv1, given))

    def _sppf(self, narrow: Layer, wide: Layer, given: Origins) -> Origins:
        pooled = [self._conv(narrow.cv1, wide.cv1, given)] * (wide.n + 1)
        return self._conv(narrow.cv2, wide.cv2, _side_by_side(pooled))

    def _c2psa(self, narrow: Layer, wide: Layer, given: Origins) -> Origins:
        kept, attended = _halves(self._conv(narrow.cv1, wide.cv1, given, parts=2))
        for block, wider in zip(narrow.m, wide.m, strict=True):
            for name in ("qkv", "pe", "proj"):  # heads are repeated whole: their channels stand side by side
                self._conv(getattr(block.attn, name), getattr(wider.attn, name), attended)
            self._in_turn(block.ffn, wider.ffn, attended)
        return self._conv(narrow.cv2, wide.cv2, _side_by_side([kept, attended]))

    def _detect(self, narrow: Layer, wide: Layer, given: Sequence[Origins]) -> Origins:
        for branches, wider in ((narrow.cv2, wide.cv2), (narrow.cv3, wide.cv3)):
            for branch, wide_branch, origins in zip(branches, wider, given, strict=True):
                self._in_turn(branch, wide_branch, origins)
        return given[0]

    def _in_turn(self, narrow: Layer, wide: Layer, given: Origins) -> Origins:
        for layer, wider in zip(narrow, wide, strict=True):
            if isinstance(wider, nn.Sequential):
                given = self._in_turn(layer, wider, given)
            elif isinstance(wider, Conv):
                given = self._conv(layer, wider, given)
            else:
                given = self._last(layer, wider, given)
        return given

    def _last(self, narrow: Layer, wide: Layer, given: Origins) -> Origins:
        if wide.out_channels != narrow.out_channels:
            raise ValueError("Only a network that tells the same kinds apart can be made: choose as many kinds.")
        origins = torch.arange(wide.out_channels)
        self._fill(narrow, wide, given, origins)
        wide.bias.data.copy_(narrow.bias.data)
        return origins

    def _conv(self, narrow: Layer, wide: Layer, given: Origins, parts: int = 1) -> Origins:
        """parts: into how many equal tensors the output is split afterwards; each repeats its own channels."""
        channels = torch.arange(narrow.conv.out_channels)
        times = wide.conv.out_channels // narrow.conv.out_channels
        is_depthwise = wide.conv.groups > 1
        origins = given if is_depthwise else torch.cat([part.repeat(times) for part in channels.chunk(parts)])
        self._fill(narrow.conv, wide.conv, given, origins)
        for name in ("weight", "bias", "running_mean", "running_var"):
            getattr(wide.bn, name).data.copy_(getattr(narrow.bn, name).data[origins])
        return origins

    def _fill(self, narrow: Layer, wide: Layer, given: Origins, origins: Origins) -> None:
        weights = narrow.weight.data.float()[origins]
        if wide.groups == 1:
            copies = torch.bincount(given, minlength=narrow.in_channels).view(1, -1, 1, 1)
            weights = (weights / copies)[:, given]
            weights += self._cancelling_noise(weights, given, copies)
        if weights.shape != wide.weight.shape:
            raise ValueError("Only whole multiples of a network's channels can be made: choose a family of its kind.")
        wide.weight.data.copy_(weights)

    def _cancelling_noise(self, weights: torch.Tensor, given: Origins, copies: torch.Tensor) -> torch.Tensor:
        """Noise whose sum over the copies of any one channel is nothing."""
        noise = torch.randn(weights.shape, generator=self._generator) * weights.std() * _NOISE
        sums = torch.zeros(len(weights), copies.numel(), *weights.shape[2:]).index_add_(1, given, noise)
        return noise - (sums / copies)[:, given]


def _halves(origins: Origins) -> list[Origins]:
    """Of a tensor that is split in two: each half's channels numbered from nought."""
    first, second = origins.chunk(2)
    return [first, second - second.min()]


def _side_by_side(parts: Sequence[Origins]) -> Origins:
    """Of tensors that are concatenated: as the narrow network numbers their channels."""
    widths = [int(part.max()) + 1 for part in parts]
    return torch.cat([part + sum(widths[:place]) for place, part in enumerate(parts)])
