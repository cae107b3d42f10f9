"""A wider network made of a trained one computes the same, and its copies of a channel can learn different things."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

KINDS = ["signature", "initials", "stamp"]


def network(family: str, kinds: int = 3) -> Any:
    """With statistics as if it had been trained."""
    from ultralytics.nn.tasks import DetectionModel

    from services.trainer.ultralytics_trainer import architecture

    torch.manual_seed(5)
    built = DetectionModel(str(architecture(family)), nc=kinds, verbose=False)
    for layer in built.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.3)
            layer.running_var.uniform_(0.5, 2)
    return built.eval()


def found(network: Any, pages: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        boxes: torch.Tensor = network(pages)[0]
    return boxes


@pytest.mark.parametrize("family", ["yolo11s", "yolo11s-slim"])
def test_the_wider_network_finds_what_the_narrow_one_did(family: str, tmp_path: Path) -> None:
    from services.trainer.warm_start import load_weights

    narrow, wide, pages = network("yolo11n"), network(family), torch.rand(2, 3, 96, 64)
    torch.save({"model": narrow}, tmp_path / "narrow.pt")
    expected, untaught = found(narrow, pages), found(wide, pages)
    load_weights(wide, tmp_path / "narrow.pt", KINDS, seed=3)
    assert torch.allclose(found(wide, pages), expected, rtol=1e-3, atol=1e-3)
    assert not torch.allclose(untaught, expected, rtol=0.1, atol=0.1)


def test_copies_of_a_channel_differ_in_what_they_weigh() -> None:
    from services.trainer.widening import widen

    narrow, wide = network("yolo11n"), network("yolo11s-slim")
    widen(narrow, wide, seed=3)
    weights = wide.model[7].conv.weight
    first, second = weights.chunk(2)
    assert (first - second).abs().mean() > 0.1 * weights.abs().mean()


def test_a_network_of_other_layers_is_refused() -> None:
    from services.trainer.widening import widen

    with pytest.raises(ValueError, match="same layers"):
        widen(network("yolo11n"), network("yolov8s"), seed=3)


def test_a_network_of_other_kinds_is_refused() -> None:
    from services.trainer.widening import widen

    with pytest.raises(ValueError, match="same kinds"):
        widen(network("yolo11n", kinds=1), network("yolo11s"), seed=3)
