"""Training for real, on tiny synthetic pages: it learns, it survives a kill, it exports, and evaluation agrees."""

import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from services.trainer.training import parse_arguments, train

PAGES = 60
SHIPPED = max((Path(__file__).parents[3] / "models" / "signatures").glob("*/model.pt"), default=None)
LEAST_MAP50 = 0.5


def test_every_setting_is_an_option() -> None:
    settings = parse_arguments(
        ["--data", "d", "--out", "o", "--size", "320", "--learning-rate", "0.002", "--kinds", "3"]
    )
    assert (settings.data, settings.size, settings.learning_rate, settings.kinds) == ("d", 320, 0.002, 3)


def test_options_without_data_are_refused() -> None:
    with pytest.raises(SystemExit):
        parse_arguments(["--out", "o"])


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from services.trainer.synthesis.writing_out import Series, write_pages

    folder = tmp_path_factory.mktemp("data")
    list(write_pages(Series(seed=11, folder=folder, long_side=640), 0, PAGES, 2))
    return folder


def epochs_done(out: Path) -> int:
    results = out / "run" / "results.csv"
    return len(results.read_text().splitlines()) - 1 if results.exists() else 0


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_killed_training_goes_on_and_beats_the_stated_map(pages: Path, tmp_path: Path) -> None:
    options = ["--data", str(pages), "--out", str(tmp_path), "--warm-start", str(SHIPPED)]
    options += ["--size", "320", "--epochs", "4", "--batch", "8", "--nominal-batch", "8", "--held-out", "0.25"]
    options += ["--learning-rate", "0.0005", "--mosaic", "0"]
    first = subprocess.Popen([sys.executable, "-m", "services.trainer.training", *options])
    try:
        deadline = time.monotonic() + 120
        while epochs_done(tmp_path) < 1 and time.monotonic() < deadline and first.poll() is None:
            time.sleep(0.1)
    finally:
        first.kill()
        first.wait()
    before = epochs_done(tmp_path)
    assert 1 <= before < 4

    best = train(parse_arguments(options))

    with (tmp_path / "run" / "results.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3, 4]
    assert best.is_file()
    assert max(float(row["metrics/mAP50(B)"]) for row in rows) > LEAST_MAP50
    recorded = json.loads((tmp_path / "settings.json").read_text())
    assert recorded["settings"]["seed"] == 7
    assert recorded["dataset"]["real"]["counts"]["pages"] == PAGES
