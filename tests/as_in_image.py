"""Runs the command line with what one of the images has and nothing else: its libraries, and our code but the trainer.

python tests/as_in_image.py IMAGE COMMAND...
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from importlib.abc import MetaPathFinder
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
DOCKER = ROOT / "deploy" / "docker"
NOT_SENT_TO_THE_BUILDER = "services.trainer"  # .dockerignore


def libraries(image: str) -> set[str]:
    """The distributions that the Dockerfile installs for an image, with all that they stand on."""
    asked = re.search(rf"AS libraries-{image}\nRUN ./install-libraries (.+)\n", (DOCKER / "Dockerfile").read_text())
    assert asked, f"no image {image}"
    listing = [sys.executable, DOCKER / "requirements.py", *asked[1].split()]
    wanted = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    found: set[str] = set()
    left = [Requirement(line) for line in wanted]
    while left:
        one = left.pop()
        new = {f"{one.name}[{extra}]" for extra in ("", *one.extras)} - found
        found |= new
        left += _needs(one) if new else ()
    return {canonicalize_name(name.partition("[")[0]) for name in found}


def _needs(one: Requirement) -> Iterator[Requirement]:
    for line in metadata.requires(one.name) or ():
        needed = Requirement(line)
        if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in ("", *one.extras)):
            yield needed


class OnlyThese(MetaPathFinder):
    """Finds nothing, and says of what the image lacks that it is not there."""

    def __init__(self, image: str) -> None:
        allowed = {*libraries(image), "paraphe"}
        owners = metadata.packages_distributions()
        self._absent = {
            top for top, names in owners.items() if not allowed & {canonicalize_name(name) for name in names}
        }

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        """Raise ModuleNotFoundError for what is not installed there."""
        if name.partition(".")[0] in self._absent or name == NOT_SENT_TO_THE_BUILDER:
            raise ModuleNotFoundError(f"No module named {name!r} in the image", name=name)


if __name__ == "__main__":
    sys.path[0] = str(ROOT)
    sys.meta_path.insert(0, OnlyThese(sys.argv[1]))
    from paraphe.cli.main import app

    app(sys.argv[2:], prog_name="paraphe")
