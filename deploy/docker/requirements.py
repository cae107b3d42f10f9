"""Prints what an image installs: ``requirements.py EXTRA…`` lists pyproject.toml's dependencies and those extras'.

So an image's layer of libraries changes only when pyproject.toml does, not with each line of ours.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

_OURSELVES = re.compile(r"^paraphe\[([^\]]+)\]$")


def wanted(project: dict[str, list[str]], extras: list[str]) -> Iterator[str]:
    """The requirements of ``extras``; extras that name other extras of ours are followed."""
    for extra in extras:
        for requirement in project[extra]:
            ours = _OURSELVES.match(requirement)
            if ours:
                yield from wanted(project, [name.strip() for name in ours[1].split(",")])
            else:
                yield requirement


def main() -> None:
    """Print one requirement a line, each once."""
    content = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    every = [*content["dependencies"], *wanted(content["optional-dependencies"], sys.argv[1:])]
    print("\n".join(dict.fromkeys(every)))


if __name__ == "__main__":
    main()
