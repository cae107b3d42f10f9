"""Model versions on disk, each checked against its recorded hashes once."""

import hashlib
import json
import threading
from pathlib import Path
from typing import Any

from shared.domain.errors import ErrorCode, ParapheError
from shared.domain.model_version import Calibration, ModelVersion
from shared.domain.verdict import Thresholds

_DESCRIPTION = "model.json"


class ModelCache:
    """Reads ``<directory>/<name>/<version>/model.json``. Thread-safe."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._loaded: dict[tuple[str, str], ModelVersion] = {}
        self._lock = threading.Lock()

    def load(self, name: str, version: str | None = None) -> ModelVersion:
        """The model's ``version``, or its highest. Raises ParapheError (UNKNOWN_MODEL) naming those there are."""
        available = self.available()
        versions = available.get(name)
        if not versions:
            known = ", ".join(sorted(available)) or "none"
            raise ParapheError(ErrorCode.UNKNOWN_MODEL, f"There is no model {name!r}; available: {known}.")
        if version is not None and version not in versions:
            known = ", ".join(versions)
            raise ParapheError(ErrorCode.UNKNOWN_MODEL, f"Model {name} has no version {version!r}; available: {known}.")
        return self._load(name, version or versions[-1])

    def available(self) -> dict[str, list[str]]:
        """Versions by model name, lowest first. Names come from the folder, so no caller's word becomes a path."""
        found: dict[str, list[str]] = {}
        for description in self._directory.glob(f"*/*/{_DESCRIPTION}"):
            found.setdefault(description.parents[1].name, []).append(description.parent.name)
        return {name: sorted(versions, key=_order) for name, versions in found.items()}

    def _load(self, name: str, version: str) -> ModelVersion:
        with self._lock:
            if (name, version) not in self._loaded:
                self._loaded[name, version] = read_model(self._directory / name / version)
            return self._loaded[name, version]


def read_model(folder: Path) -> ModelVersion:
    """The model version in a folder, every file of it checked; raises ParapheError when one is not as recorded."""
    try:
        content = json.loads((folder / _DESCRIPTION).read_text())
        thresholds = Thresholds(**content["thresholds"])
        return ModelVersion(
            name=content["name"],
            version=content["version"],
            classes=tuple(content["classes"]),
            input_sizes=tuple(int(size) for size in content["input_sizes"]),
            thresholds=thresholds,
            files={form: _networks(folder, files) for form, files in content["files"].items()},
            calibration=Calibration(**content["calibration"]),
            small_print=int(content.get("small_print", 0)),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ParapheError(
            ErrorCode.INTERNAL_ERROR, f"The model in {folder} cannot be used: {type(error).__name__}: {error}"
        ) from error


def _networks(folder: Path, files: dict[str, Any] | list[dict[str, Any]]) -> tuple[Path, ...]:
    """A list has a network for each look at a page; one file is for all of them."""
    return tuple(_checked(folder, file) for file in (files if isinstance(files, list) else [files]))


def _checked(folder: Path, file: dict[str, Any]) -> Path:
    path = folder / str(file["path"])
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    if digest != file["sha256"]:
        raise ValueError(f"{path.name} differs from its recorded sha256; fetch it again")
    return path


def _order(version: str) -> tuple[tuple[int, int, str], ...]:
    """Numbers by value, so that 10 comes after 9; anything else before every number."""
    return tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in version.split("."))
