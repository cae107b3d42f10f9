"""What an installed Paraphe brings along: all that the checkout's packages hold, not their modules alone."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("paraphe", "services", "shared")
FOR_THE_CHECKOUT_ONLY = {Path("shared/db/migrations/script.py.mako")}
"""What nobody needs who does not write migrations."""


def files_of(folder: Path) -> set[Path]:
    """All files under `folder`, relative to it."""
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def test_an_installed_paraphe_has_every_file_of_its_packages(tmp_path: Path) -> None:
    # A copy: beside the checkout's own egg-info setuptools would also take what an earlier build had listed there.
    copy, built = tmp_path / "copy", tmp_path / "built"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    wanted = files_of(copy) - FOR_THE_CHECKOUT_ONLY
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    build = [sys.executable, "-c", "import setuptools; setuptools.setup()", "--quiet", "build_py", "--build-lib", built]
    subprocess.run(build, cwd=copy, check=True)
    assert sorted(map(str, wanted - files_of(built))) == []
