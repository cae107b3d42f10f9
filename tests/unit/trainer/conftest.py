"""Ultralytics is brought up as the trainer does it before a test can import it: it patches Pillow for the process."""

import json
import shutil
from pathlib import Path

import pytest

from services.trainer import runtime
from shared.settings import PROJECT_ROOT


@pytest.fixture(scope="session", autouse=True)
def quiet_ultralytics(tmp_path_factory: pytest.TempPathFactory) -> None:
    """In every process that runs these tests, whatever their order."""
    runtime.prepare(tmp_path_factory.mktemp("ultralytics"))


@pytest.fixture(scope="session")
def one_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version with one look and one network, as the export writes it: what `signatures-fast` sees whole pages by."""
    shipped = max((PROJECT_ROOT / "models" / "signatures-fast").glob("*/model.json")).parent
    folder = tmp_path_factory.mktemp("one-network")
    described = json.loads((shipped / "model.json").read_text())
    described |= described.pop("networks")[0]
    for form, (file, *_) in described["files"].items():
        path = f"model{Path(file['path']).suffix}"
        shutil.copyfile(shipped / file["path"], folder / path)
        described["files"][form] = file | {"path": path}
    (folder / "model.json").write_text(json.dumps(described))
    return folder
