import hashlib
import json
from pathlib import Path

import pytest

from services.detector.model_cache import ModelCache, read_model
from shared.domain.errors import ErrorCode, ParapheError
from shared.domain.fit import Fit
from shared.domain.verdict import Thresholds


def write_model(directory: Path, name: str, version: str, **changes: object) -> Path:
    folder = directory / name / version
    folder.mkdir(parents=True)
    weights = f"{name} {version}".encode()
    (folder / "model.onnx").write_bytes(weights)
    content = {
        "name": name,
        "version": version,
        "classes": ["signature", "initials"],
        "input_sizes": [896, 640],
        "calibration": {"slope": 1.5, "offset": 0.5},
        "thresholds": {"accept": 0.5, "review": 0.25},
        "files": {"onnx": {"path": "model.onnx", "sha256": hashlib.sha256(weights).hexdigest()}},
        "metrics": {"anything": 1},
    }
    (folder / "model.json").write_text(json.dumps(content | changes))
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> ModelCache:
    for version in ("2", "9", "10", "1.5", "candidate"):
        write_model(tmp_path, "signatures", version)
    write_model(tmp_path, "stamps", "1")
    (tmp_path / "signatures" / "11").mkdir()  # a download without its description yet
    return ModelCache(tmp_path)


def test_the_highest_version_is_used(cache: ModelCache, tmp_path: Path) -> None:
    model = cache.load("signatures")
    assert (model.name, model.version, model.input_sizes) == ("signatures", "10", (896, 640))
    assert model.classes == ("signature", "initials")
    assert model.thresholds == Thresholds(accept=0.5, review=0.25)
    assert model.files == {"onnx": (tmp_path / "signatures" / "10" / "model.onnx",)}


def test_a_version_may_say_how_large_small_print_is_at_its_largest_look(tmp_path: Path) -> None:
    as_any = read_model(write_model(tmp_path, "signatures", "1")).raster
    assert as_any == as_any.for_small_print == Fit(896, 896)
    larger = read_model(write_model(tmp_path, "signatures", "2", small_print=1280)).raster
    assert (larger, larger.for_small_print) == (Fit(896, 896, 1280), Fit(1280, 1280))


def networks(*names: str) -> dict[str, list[dict[str, str]]]:
    """Of version 1 of signatures, as model.json lists them."""
    digest = hashlib.sha256(b"signatures 1").hexdigest()
    return {"onnx": [{"path": name, "sha256": digest} for name in names]}


def test_each_look_may_have_a_network_of_its_own(tmp_path: Path) -> None:
    folder = write_model(tmp_path, "signatures", "1", files=networks("model.onnx", "small.onnx"))
    (folder / "small.onnx").write_bytes(b"signatures 1")
    assert read_model(folder).files == {"onnx": (folder / "model.onnx", folder / "small.onnx")}
    (folder / "small.onnx").write_bytes(b"another")
    with pytest.raises(ParapheError, match=r"small\.onnx differs from its recorded sha256"):
        read_model(folder)


def test_parts_seen_from_near_may_have_a_network_of_their_own_and_nothing_else_has(tmp_path: Path) -> None:
    three = write_model(tmp_path / "three", "signatures", "1", files=networks(*["model.onnx"] * 3))
    assert read_model(three).files == {"onnx": (three / "model.onnx",) * 3}
    four = write_model(tmp_path / "four", "signatures", "1", files=networks(*["model.onnx"] * 4))
    with pytest.raises(ParapheError, match="one for each of 2 looks and at most one for parts"):
        read_model(four)


def test_a_version_can_be_asked_for(cache: ModelCache) -> None:
    assert cache.load("signatures", "9").version == "9"
    assert cache.load("signatures", "9") is cache.load("signatures", "9")


@pytest.mark.parametrize("name", ["nothing", "", "../signatures", "signatures/10", "/"])
def test_an_unknown_model_names_those_there_are(cache: ModelCache, name: str) -> None:
    with pytest.raises(ParapheError, match="available: signatures, stamps") as caught:
        cache.load(name)
    assert caught.value.code is ErrorCode.UNKNOWN_MODEL


def test_an_unknown_version_names_those_there_are(cache: ModelCache) -> None:
    with pytest.raises(ParapheError, match=r"candidate, 1\.5, 2, 9, 10"):
        cache.load("signatures", "3")


def test_a_file_that_is_not_the_recorded_one_is_refused(cache: ModelCache, tmp_path: Path) -> None:
    (tmp_path / "stamps" / "1" / "model.onnx").write_bytes(b"something else")
    with pytest.raises(ParapheError, match="differs from its recorded sha256"):
        cache.load("stamps")


@pytest.mark.parametrize(
    "changes",
    [
        {"thresholds": {"accept": 0.1, "review": 0.9}},
        {"files": {"onnx": {}}},
        {"files": {"onnx": []}},
        {"input_sizes": "large"},
        {"input_sizes": [640, 896]},
        {"small_print": "very"},
        {"calibration": {"slope": -1}},
    ],
)
def test_a_description_that_makes_no_sense_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(ParapheError, match="cannot be used"):
        read_model(write_model(tmp_path, "odd", "1", **changes))


def test_an_empty_folder_has_no_models(tmp_path: Path) -> None:
    with pytest.raises(ParapheError, match="available: none"):
        ModelCache(tmp_path / "missing").load("signatures")
