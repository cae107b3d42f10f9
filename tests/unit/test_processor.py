"""What a container may use of its machine decides how many workers it starts."""

import os
from pathlib import Path

import pytest

from services.detector.settings import WorkerSettings
from shared.processor import usable_cores


@pytest.fixture(autouse=True)
def machine_of_64_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)


def cores_in(folder: Path, group: str, quotas: dict[str, str]) -> int:
    """Of a process in ``group``, where these groups have these quotas."""
    membership = folder / "membership"
    membership.write_text(f"1:cpuset:/of-version-1\n0::{group}\n")
    for name, quota in quotas.items():
        (folder / "groups" / name).mkdir(parents=True, exist_ok=True)
        (folder / "groups" / name / "cpu.max").write_text(f"{quota}\n")
    return usable_cores(membership, folder / "groups")


@pytest.mark.parametrize(
    ("group", "quotas", "cores"),
    [
        ("/", {".": "200000 100000"}, 2),
        ("/", {".": "150000 100000"}, 2),
        ("/", {".": "10000 100000"}, 1),
        ("/", {".": "max 100000"}, 64),
        ("/", {}, 64),
        ("/", {".": "9900000 100000"}, 64),
        ("/system.slice/paraphe.service", {"system.slice/paraphe.service": "300000 100000"}, 3),
        ("/batch.slice/a.scope", {"batch.slice": "400000 100000", "batch.slice/a.scope": "max 100000"}, 4),
        ("/docker/seen-from-outside", {".": "200000 100000"}, 2),
    ],
)
def test_a_quota_bounds_the_cores(tmp_path: Path, group: str, quotas: dict[str, str], cores: int) -> None:
    assert cores_in(tmp_path, group, quotas) == cores


def test_without_control_groups_all_cores_that_the_process_is_bound_to_are_usable(tmp_path: Path) -> None:
    assert usable_cores(tmp_path / "none", tmp_path) == 64


def test_a_worker_starts_no_more_renderers_than_it_has_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PARAPHE_DETECTOR_THREADS", "PARAPHE_DETECTOR_RENDERERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    worker = WorkerSettings()
    assert (worker.renderers, worker.threads) == (1, 8)
