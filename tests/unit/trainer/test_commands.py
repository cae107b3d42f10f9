"""`paraphe data` and `paraphe model` as typed."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner, Result

from paraphe.cli.data import data_app
from paraphe.cli.model import model_app
from services.detector.model_cache import read_model
from shared.domain.labels import SIGNATURES_ONLY
from shared.domain.model_version import Calibration

MODELS = Path(__file__).parents[3] / "models"
SHIPPED = max((MODELS / "signatures").glob("*/model.json"), default=Path()).parent


def data(*arguments: object) -> Result:
    return CliRunner().invoke(data_app, [str(argument) for argument in arguments])


def model(*arguments: object) -> Result:
    return CliRunner().invoke(model_app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from services.trainer.synthesis.writing_out import Series, write_pages

    target = tmp_path_factory.mktemp("data")
    list(write_pages(Series(seed=3, folder=target, long_side=900), 0, 6, 1))
    return target


def test_check_passes_good_data_and_names_bad(folder: Path, tmp_path: Path) -> None:
    good = data("check", folder)
    assert good.exit_code == 0
    assert "6 pages, 0 problems" in good.stdout
    (tmp_path / "images").mkdir()
    Image.new("L", (9, 9)).save(tmp_path / "images" / "lonely.png")
    bad = data("check", tmp_path)
    assert bad.exit_code == 1
    assert "lonely.png: missing label" in bad.stdout


def test_build_writes_a_manifest_and_show_counts(folder: Path, tmp_path: Path) -> None:
    built = data("build", folder, "--out", tmp_path / "m.json", "--licence", "synthetic=AGPL-3.0-or-later")
    assert built.exit_code == 0, built.output
    manifest = json.loads((tmp_path / "m.json").read_text())
    assert manifest["licences"] == {"synthetic": "AGPL-3.0-or-later"}
    assert manifest["version"] in built.stdout
    assert "source:synthetic" in data("show", folder).stdout


def test_show_counts_classes_that_nobody_knows(tmp_path: Path) -> None:
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
    Image.new("L", (9, 9)).save(tmp_path / "images" / "page.png")
    (tmp_path / "labels" / "page.txt").write_text("7 0.5 0.5 0.2 0.1\n")
    assert "class 7" in data("show", tmp_path).stdout


def test_build_refuses_a_folder_that_is_no_dataset(tmp_path: Path) -> None:
    refused = data("build", tmp_path, "--out", tmp_path / "m.json")
    assert refused.exit_code == 1
    assert not (tmp_path / "m.json").exists()


def test_evaluate_measures_the_production_path(folder: Path, tmp_path: Path) -> None:
    results, report = tmp_path / "results.json", tmp_path / "report"
    options = ["--weights", SHIPPED, "--data", folder, "--samples", 20, "--json", results, "--report", report]
    done = CliRunner().invoke(model_app, ["evaluate", *(str(option) for option in options)])
    assert done.exit_code == 0, done.output
    measured = json.loads(results.read_text())
    assert measured["all"]["pages"] == 6
    assert measured["all"]["recall"]["value"] > 0.3
    assert measured["accept"] == json.loads((SHIPPED / "model.json").read_text())["thresholds"]["accept"]
    assert {path.name for path in report.iterdir()} == {"pr.png", "calibration.png", "errors.png"}


def test_compare_tells_a_worse_model_by_its_exit_status(folder: Path, one_network: Path, tmp_path: Path) -> None:
    blind = Path(shutil.copytree(one_network, tmp_path / "blind"))
    described = json.loads((blind / "model.json").read_text())
    described["thresholds"]["accept"] = 1.0
    (blind / "model.json").write_text(json.dumps(described))
    results, options = tmp_path / "results.json", ["--data", folder, "--samples", 50]
    worse = model("compare", "--weights", blind, "--against", one_network, *options, "--json", results)
    assert worse.exit_code == 1, worse.output
    recall = json.loads(results.read_text())["measures"]["recall"]
    assert recall["difference"] == pytest.approx(recall["candidate"] - recall["against"], abs=1e-4)
    assert recall["high"] < 0
    better = model("compare", "--weights", one_network, "--against", blind, *options)
    assert (better.exit_code, "better" in better.output, "worse" in better.output) == (0, True, False), better.output


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (["--source", "typo"], 1, "No page is of source typo. There are: synthetic."),
        (["--samples", "0"], 2, "greater than or equal to 1"),
        (["--kind", "typo"], 2, "'typo' is not one of"),
    ],
)
def test_options_that_leave_nothing_to_measure_are_refused(
    folder: Path, options: list[str], status: int, said: str
) -> None:
    refused = model("evaluate", "--weights", SHIPPED, "--data", folder, *options)
    assert (refused.exit_code, said in refused.stderr) == (status, True), refused.output


def test_results_are_not_measured_where_they_cannot_be_kept(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs.pt").touch()
    for arguments in (
        ["evaluate", "--weights", tmp_path / "theirs.pt", "--data", folder, "--record"],
        ["show", tmp_path],
    ):
        refused = model(*arguments)
        assert refused.exit_code == 2
        assert f"{tmp_path} holds no model.json" in refused.stderr


def test_a_page_that_is_not_there_is_named(folder: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(folder, tmp_path / "data"))
    lost = min((data / "images").rglob("*.*"))
    lost.unlink()
    failed = model("evaluate", "--weights", SHIPPED, "--data", data)
    assert failed.exit_code == 1
    assert lost.name in failed.stderr


def test_a_model_that_is_not_as_recorded_is_refused(folder: Path, tmp_path: Path) -> None:
    version = Path(shutil.copytree(SHIPPED, tmp_path / "version"))
    (version / "model-640.onnx").write_bytes(b"cut off")
    refused = model("evaluate", "--weights", version, "--data", folder)
    assert refused.exit_code == 1
    assert "recorded sha256" in refused.stderr


def test_pages_labelled_for_signatures_are_no_measure_of_stamps(
    folder: Path, one_network: Path, tmp_path: Path
) -> None:
    data = Path(shutil.copytree(folder, tmp_path / "data"))
    with (data / "index.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    results, options = tmp_path / "results.json", ["--kind", "stamp", "--samples", 2]
    for count, left_out in ((2, "2 pages are labelled for signatures only"), (6, "No page is labelled for stamp")):
        for row in rows[:count]:
            row["tags"] = SIGNATURES_ONLY
        with (data / "index.csv").open("w", newline="") as handle:
            writer = csv.DictWriter(handle, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        done = model("evaluate", "--weights", one_network, "--data", data, "--json", results, *options)
        assert left_out in done.stderr
        assert done.exit_code == (count == 6)
    assert json.loads(results.read_text())["all"]["pages"] == 4


def test_classes_of_others_are_known_by_name_and_the_rest_passed_over(
    folder: Path, one_network: Path, tmp_path: Path
) -> None:
    stored = torch.load(one_network / "model.pt", map_location="cpu", weights_only=False)
    theirs, results = tmp_path / "theirs.pt", tmp_path / "results.json"
    options = ["--weights", theirs, "--data", folder, "--samples", 2, "--json", results]
    stored["model"].names = {0: "Signature", 1: "Date", 2: "STAMP"}
    torch.save(stored, theirs)
    done = model("evaluate", *options)
    assert done.exit_code == 0, done.output
    assert json.loads(results.read_text())["all"]["recall"]["value"] > 0
    stored["model"].names = {0: "text", 1: "logo", 2: "date"}
    torch.save(stored, theirs)
    unknown = model("evaluate", *options)
    assert unknown.exit_code == 1
    assert "none of its classes (text, logo, date) is one of ours: call the one that finds signatures" in unknown.stderr


@pytest.mark.parametrize("narrower", [["--kind", "stamp"], ["--accept", "0.3"], ["--source", "synthetic"]])
def test_only_what_a_model_is_for_is_kept_with_it(folder: Path, tmp_path: Path, narrower: list[str]) -> None:
    version = Path(shutil.copytree(SHIPPED, tmp_path / "version"))
    before = (version / "model.json").read_bytes()
    options = ["--weights", str(version), "--data", str(folder), "--record", *narrower]
    refused = CliRunner().invoke(model_app, ["evaluate", *options])
    assert refused.exit_code == 2
    assert "--record" in refused.stderr
    assert (version / "model.json").read_bytes() == before


def test_calibrate_writes_thresholds_that_production_reads(folder: Path, tmp_path: Path) -> None:
    version = Path(shutil.copytree(SHIPPED, tmp_path / "version"))
    described = json.loads((version / "model.json").read_text())
    raw = {"calibration": {"slope": 1.0, "offset": 0.0}, "thresholds": {"accept": 0.99, "review": 0.98}}
    (version / "model.json").write_text(json.dumps(described | raw))
    options = ["--weights", version, "--data", folder, "--also", folder]
    done = CliRunner().invoke(model_app, ["calibrate", *(str(option) for option in options)])
    assert done.exit_code == 0, done.output
    model = read_model(version)
    assert model.calibration != Calibration()
    assert 0.1 <= model.thresholds.review <= model.thresholds.accept < 0.98
    assert f"accept {model.thresholds.accept:g}" in done.stdout
    kept = json.loads((version / "model.json").read_text())["metrics"]
    assert kept == {}, "figures at other thresholds are not this version's any more"


@pytest.mark.parametrize("networks", ["one for each look", "one"])
def test_calibrate_asks_for_pages_where_training_held_none_out(
    networks: str, folder: Path, one_network: Path, tmp_path: Path
) -> None:
    version = Path(shutil.copytree(one_network if networks == "one" else SHIPPED, tmp_path / "version"))
    described = json.loads((version / "model.json").read_text())
    for network in described.get("networks", [described]):
        network["training"]["held_out"] = 0
    (version / "model.json").write_text(json.dumps(described))
    done = CliRunner().invoke(model_app, ["calibrate", "--weights", str(version), "--data", str(folder)])
    assert done.exit_code == 1
    assert "--also" in done.stderr
    assert json.loads((version / "model.json").read_text()) == described


def test_others_weights_go_through_ultralytics_and_agree_with_production(
    folder: Path, one_network: Path, tmp_path: Path
) -> None:
    (tmp_path / "theirs.onnx").write_bytes((one_network / "model.onnx").read_bytes())
    (size,) = json.loads((one_network / "model.json").read_text())["input_sizes"]
    measured = []
    for number, weights in enumerate((one_network, tmp_path / "theirs.onnx")):
        out = tmp_path / f"{number}.json"
        options = [
            "--weights",
            weights,
            "--data",
            folder,
            "--samples",
            20,
            "--accept",
            0.3,
            "--size",
            size,
            "--json",
            out,
        ]
        done = CliRunner().invoke(model_app, ["evaluate", *(str(option) for option in options)])
        assert done.exit_code == 0, done.output
        measured.append(json.loads(out.read_text())["all"])
    assert measured[0]["map50"]["value"] == pytest.approx(measured[1]["map50"]["value"], abs=0.05)
    assert measured[0]["boxes"] == measured[1]["boxes"] > 0
