"""Networks trained apart, one for each look, become one version; what cannot be one is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.detector.model_cache import read_model
from services.trainer.dataset import DatasetError
from services.trainer.joining import join, main
from shared.domain.fit import Fit
from shared.domain.model_version import Calibration

Export = Callable[..., Path]


@pytest.fixture
def exported(one_network: Path, tmp_path: Path) -> Export:
    """Writes a version with one look, as the export does, but for what is named."""

    def write(name: str, **changes: Any) -> Path:
        folder = Path(shutil.copytree(one_network, tmp_path / name))
        described = json.loads((folder / "model.json").read_text())
        (folder / "model.json").write_text(json.dumps(described | changes))
        return folder

    return write


@pytest.fixture
def small(exported: Export) -> Path:
    return exported("small")


@pytest.fixture
def large(exported: Export) -> Path:
    return exported("large", input_sizes=[1024], small_print=1440, family="yolo11s")


def test_the_largest_look_comes_first_and_each_network_says_where_it_is_from(
    small: Path, large: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "signatures" / "10"
    main([*("--looks", str(small)), *("--looks", str(large)), "--version", "10", "--out", str(out)])
    model = read_model(out)
    assert (model.name, model.version, model.input_sizes) == ("signatures", "10", (1024, 640))
    assert model.raster == Fit(1024, 1024, 1440)
    assert model.calibration == Calibration()
    assert [path.name for path in model.files["onnx"]] == ["model-1024.onnx", "model-640.onnx"]
    assert [path.read_bytes() for path in model.files["pytorch"]] == [(small / "model.pt").read_bytes()] * 2
    joined = json.loads((out / "model.json").read_text())
    assert [one["family"] for one in joined["networks"]] == ["yolo11s", "yolo11n"]
    assert f"paraphe model calibrate --weights {out}" in capsys.readouterr().out


def test_one_look_of_a_version_is_replaced_and_the_other_stays(
    small: Path, large: Path, exported: Export, tmp_path: Path
) -> None:
    join([small, large], tmp_path / "10", "signatures", "10")
    trained = exported("trained", averaged_runs=7)
    (trained / "model.onnx").write_bytes(b"trained on")
    join([tmp_path / "10", trained], tmp_path / "10.1", "signatures", "10.1")
    stayed, replaced = read_model(tmp_path / "10.1").files["onnx"]
    assert stayed.read_bytes() == (tmp_path / "10" / "model-1024.onnx").read_bytes()
    assert replaced.read_bytes() == b"trained on"
    networks = json.loads((tmp_path / "10.1" / "model.json").read_text())["networks"]
    assert [one["family"] for one in networks] == ["yolo11s", "yolo11n"]
    assert networks[1]["averaged_runs"] == 7


def test_stamps_may_be_seen_from_near_by_a_network_of_its_own_which_stays_until_another_is_named(
    small: Path, large: Path, exported: Export, tmp_path: Path
) -> None:
    near = exported("near", input_sizes=[1024], averaged_runs=5)
    (near / "model.onnx").write_bytes(b"from near")
    out, later = tmp_path / "17", tmp_path / "17.1"
    looks = ("--looks", str(large), "--looks", str(small))
    main([*looks, "--near", str(near), "--version", "17", "--out", str(out)])
    join([out, small], later, "signatures", "17.1")
    for folder in (out, later):
        model = read_model(folder)
        assert model.input_sizes == (1024, 640)
        assert [path.name for path in model.files["onnx"]] == ["model-1024.onnx", "model-640.onnx", "model-near.onnx"]
        assert model.files["onnx"][-1].read_bytes() == b"from near"
        networks = json.loads((folder / "model.json").read_text())["networks"]
        assert [one["averaged_runs"] for one in networks][-1] == 5
        assert len(networks) == 3


def test_a_network_with_two_looks_can_lend_one(small: Path, exported: Export, tmp_path: Path) -> None:
    both = exported("both", input_sizes=[1024, 640], family="yolo11s")
    join([both, small], tmp_path / "out", "signatures", "10")
    networks = json.loads((tmp_path / "out" / "model.json").read_text())["networks"]
    assert [one["family"] for one in networks] == ["yolo11s", "yolo11n"]


def test_how_large_small_print_is_seen_can_be_said_anew(large: Path, small: Path, tmp_path: Path) -> None:
    both = ("--looks", str(large), "--looks", str(small), "--version", "10", "--out")
    main([*both, str(tmp_path / "as_any"), "--small-print", "1024"])
    as_any = read_model(tmp_path / "as_any").raster
    assert as_any == as_any.for_small_print == Fit(1024, 1024, 1024)


def test_networks_that_know_different_kinds_are_refused_and_nothing_is_written(
    small: Path, exported: Export, tmp_path: Path
) -> None:
    other = exported("other", input_sizes=[1024], classes=["signature"])
    with pytest.raises(DatasetError, match="different kinds"):
        join([small, other], tmp_path / "out", "signatures", "10")
    assert not (tmp_path / "out").exists()


def test_a_version_that_is_there_is_not_written_over(small: Path, large: Path) -> None:
    with pytest.raises(SystemExit, match="exists"):
        main([*("--looks", str(small)), *("--looks", str(large)), "--version", "8", "--out", str(small)])
