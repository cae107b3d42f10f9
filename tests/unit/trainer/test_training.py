"""Training for real, on tiny synthetic pages: it learns, it survives a kill, it exports, and evaluation agrees."""

import csv
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from services.trainer.dataset import DatasetError
from services.trainer.synthesis.ink import rasterise
from services.trainer.synthesis.signature import signature
from services.trainer.training import ResumeError, parse_arguments, train

PAGES = 48
LEAST_MAP50 = 0.7


def test_every_setting_is_an_option() -> None:
    settings = parse_arguments(
        ["--data", "d", "--out", "o", "--size", "320", "--learning-rate", "0.002", "--kinds", "3"]
    )
    assert (settings.data, settings.size, settings.learning_rate, settings.kinds) == ("d", 320, 0.002, 3)


def test_options_without_data_are_refused() -> None:
    with pytest.raises(SystemExit):
        parse_arguments(["--out", "o"])


def draw_slip(number: int) -> tuple[Image.Image, str]:
    """A small slip with lines of print, every second one signed by the pen model; and its label."""
    rng = np.random.default_rng(number)
    page = Image.new("L", (240, 320), int(rng.integers(225, 256)))
    draw = ImageDraw.Draw(page)
    for line in range(int(rng.integers(4, 9))):
        draw.text((14, 12 + 18 * line), "all parties agree to the terms"[: int(rng.integers(12, 31))], fill=30)
    if number % 4 == 0:
        return page, ""
    ink = rasterise(signature(rng, "Marie Leroy"), (120.0, 60.0), 2.0, 0.9)
    left, top = int(rng.integers(10, 100)), int(rng.integers(190, 240))
    page.paste(20, (left, top), Image.fromarray(ink))
    height, width = ink.shape
    return page, f"0 {(left + width / 2) / 240} {(top + height / 2) / 320} {width / 240} {height / 320}\n"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for part in ("images", "labels"):
        (folder / part / "train").mkdir(parents=True)
    for number in range(PAGES):
        page, label = draw_slip(number)
        page.save(folder / "images" / "train" / f"{number}.png")
        (folder / "labels" / "train" / f"{number}.txt").write_text(label)
    return folder


def test_classes_that_nobody_knows_are_not_trained_on(tmp_path: Path) -> None:
    for part in ("images", "labels"):
        (tmp_path / part / "train").mkdir(parents=True)
    draw_slip(0)[0].save(tmp_path / "images/train/slip.png")
    (tmp_path / "labels/train/slip.txt").write_text("0 0.5 0.5 0.2 0.1\n7 0.5 0.5 0.2 0.1\n")
    with pytest.raises(DatasetError, match=r"train/slip\.png: unknown class: box 1 is of class 7"):
        train(parse_arguments(["--data", str(tmp_path), "--out", str(tmp_path / "run")]))
    assert not (tmp_path / "run" / "settings.json").exists()


def weights_of(checkpoint: Path | None) -> dict[str, torch.Tensor]:
    assert checkpoint
    stored = torch.load(checkpoint, map_location="cpu", weights_only=False)
    return {name: value.float() for name, value in stored["model"].state_dict().items()}


def epochs_done(out: Path) -> int:
    results = out / "run" / "results.csv"
    return len(results.read_text().splitlines()) - 1 if results.exists() else 0


def rates(out: Path) -> list[float]:
    with (out / "run" / "results.csv").open() as handle:
        return [float(row["lr/pg0"]) for row in csv.DictReader(handle)]


@pytest.mark.parametrize(("elapsed", "epoch", "share"), [(0, 0, 1.0), (1800, 0, 0.505), (3600, 1, 0.01), (0, 3, 0.01)])
def test_the_rate_is_at_rest_when_the_time_is_over(elapsed: float, epoch: int, share: float) -> None:
    from services.trainer.ultralytics_trainer import lower_rate_with_time

    group = {"initial_lr": 0.002, "lr": 0.0}
    began = time.time() - elapsed
    lower_rate_with_time(
        SimpleNamespace(
            args=SimpleNamespace(time=1.0, lrf=0.01),
            train_time_start=began,
            epoch=epoch,
            epochs=3,
            optimizer=SimpleNamespace(param_groups=[group]),
        )
    )
    assert group["lr"] == pytest.approx(0.002 * share, abs=2e-6)


@pytest.mark.slow
def test_a_training_that_ends_by_the_clock_comes_to_rest(
    pages: Path, one_network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = itertools.count(time.time(), 0.2)  # a clock that goes on when looked at: a busy machine changes nothing
    monkeypatch.setattr(time, "time", lambda: next(looks))
    options = ["--data", str(pages), "--out", str(tmp_path), "--warm-start", str(one_network / "model.pt")]
    options += ["--hours", "0.01"]
    options += ["--size", "160", "--epochs", "50", "--batch", "8", "--nominal-batch", "8", "--freeze", "9"]
    train(parse_arguments([*options, "--learning-rate", "0.001", "--warmup", "0", "--mosaic", "0"]))
    assert rates(tmp_path)[-1] < 0.0001
    assert rates(tmp_path) == sorted(rates(tmp_path), reverse=True)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_killed_training_goes_on_and_beats_the_stated_map(pages: Path, one_network: Path, tmp_path: Path) -> None:
    options = ["--data", str(pages), "--out", str(tmp_path), "--warm-start", str(one_network / "model.pt")]
    options += ["--size", "256", "--epochs", "3", "--batch", "8", "--nominal-batch", "8", "--held-out", "0.25"]
    options += ["--learning-rate", "0.001", "--mosaic", "0", "--scale", "0.1", "--freeze", "2"]
    first = subprocess.Popen([sys.executable, "-m", "services.trainer.training", *options])
    try:
        deadline = time.monotonic() + 120
        written_last = tmp_path / "run" / "weights" / "best.pt"  # of all that an epoch leaves
        while not written_last.exists() and time.monotonic() < deadline and first.poll() is None:
            time.sleep(0.1)
    finally:
        first.kill()
        first.wait()
    before = epochs_done(tmp_path)
    assert 1 <= before < 3

    begun = (tmp_path / "settings.json").read_bytes()
    with pytest.raises(ResumeError, match=r"begun with --held-out 0\.25, --seed 7: "):
        train(parse_arguments([*options, "--seed", "8", "--held-out", "0", "--threads", "1"]))
    assert (tmp_path / "settings.json").read_bytes() == begun

    elsewhere = [os.path.relpath(pages) if option == str(pages) else option for option in options]
    best = train(parse_arguments(elsewhere))
    kept = {path: path.read_bytes() for path in (best, best.with_name("last.pt"), tmp_path / "settings.json")}
    assert train(parse_arguments([*options, "--seed", "8"])) == best
    assert {path: path.read_bytes() for path in kept} == kept, "a run that came to its end is not begun anew"

    with (tmp_path / "run" / "results.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3]
    assert best.is_file()
    assert max(float(row["metrics/mAP50(B)"]) for row in rows) > LEAST_MAP50
    recorded = json.loads((tmp_path / "settings.json").read_text())
    assert recorded["settings"]["seed"] == 7
    assert recorded["dataset"][0]["counts"]["pages"] == PAGES
    began, ended = weights_of(one_network / "model.pt"), weights_of(best)
    assert torch.allclose(began["model.1.conv.weight"], ended["model.1.conv.weight"], atol=1e-3)
    assert not torch.allclose(began["model.3.conv.weight"], ended["model.3.conv.weight"], atol=1e-3)
