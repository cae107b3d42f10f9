"""A folded warm start computes the same in inference as before, and now in training as well."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from services.trainer.warm_start import load_weights, restore_normalization


def folded_network() -> nn.Sequential:
    """Convolutions whose outputs are far from unit scale, before normalisations that do nothing (eps aside)."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.SiLU(), nn.Conv2d(8, 4, 3), nn.BatchNorm2d(4))
    network[0].weight.data *= 12
    network[3].weight.data *= 0.2
    network[1].bias.data = torch.randn(8)
    return network


@pytest.fixture
def pages(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{number}.png" for number in range(6)]
    for number, path in enumerate(paths):
        Image.fromarray(np.random.default_rng(number).integers(0, 255, (48, 48, 3)).astype(np.uint8)).save(path)
    return paths


def test_the_function_stays_and_training_sees_it_too(pages: list[Path]) -> None:
    network = folded_network().eval()
    inputs = torch.stack(
        [torch.from_numpy(np.array(Image.open(page))).permute(2, 0, 1).float() / 255 for page in pages]
    )
    with torch.no_grad():
        before = network(inputs)
        lost = folded_network().train()(inputs)
        restore_normalization(network, pages, 48)
        in_inference, in_training = network.eval()(inputs), network.train()(inputs)
    assert torch.allclose(before, in_inference, atol=1e-3)
    assert (before - in_training).abs().max() < 0.02 * before.std()
    assert (before - lost).std() > 0.3 * before.std()


def test_only_tensors_that_fit_are_loaded(tmp_path: Path) -> None:
    network = folded_network()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    stored = {"0.weight": np.ones((8, 3, 3, 3), np.float16), "3.weight": np.ones((5, 5), np.float16), "x": np.ones(1)}
    np.savez(tmp_path / "weights.npz", **stored)
    load_weights(network, tmp_path / "weights.npz", ["signature"])
    assert bool((network[0].weight == 1).all())
    assert [name for name, tensor in network.state_dict().items() if not tensor.equal(before[name])] == ["0.weight"]


def test_scores_go_to_the_class_of_the_same_name(tmp_path: Path) -> None:
    from ultralytics.nn.tasks import DetectionModel

    torch.manual_seed(0)
    forms, ours = (DetectionModel("yolo11n.yaml", nc=kinds, verbose=False) for kinds in (3, 2))
    forms.names = {0: "textbox", 1: "choice", 2: "signature"}
    for network in (forms, ours):
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter)
    torch.save({"model": forms}, tmp_path / "forms.pt")
    untaught = ours.model[-1].cv3[0][2].bias.clone()
    load_weights(ours, tmp_path / "forms.pt", ["signature", "initials"])
    scores, known = ours.model[-1].cv3[0][2], forms.model[-1].cv3[0][2]
    assert scores.weight[0].equal(known.weight[2])
    assert scores.bias.tolist() == [known.bias[2], untaught[1]]
    assert ours.model[0].conv.weight.equal(forms.model[0].conv.weight)
