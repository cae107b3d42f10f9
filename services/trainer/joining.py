"""Joins networks that were trained apart, each for one look at a page, into one model version.

    python -m services.trainer.joining --looks LARGE --looks SMALL --near NEAR --version 17 --out OUT/signatures/17

LARGE and SMALL are folders of versions: exports with one look each, or a version in use of which a look stays as it is.
Of looks at one size the last counts. NEAR is an export of the network for stamps seen from near; unless it is named,
that of the last of the others that has one stays. The scores of what comes out are raw until ``paraphe model
calibrate`` has measured them.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from services.trainer.dataset import DatasetError
from services.trainer.release import Release, parser_of, recorded, say_what_is_next

_NEAR = 0
"""Stands for the size of a look from near, which the sizes of the others tell."""

_OF_A_NETWORK = ("family", "averaged_runs", "training", "versions", "dataset")


@dataclass(frozen=True)
class _Look:
    """What a version looks with at one size, in pixels, or from near: its weights by format, and what they came from.

    ``small_print``: what that version says of it.
    """

    size: int
    small_print: int
    kinds: list[str]
    weights: dict[str, Path]
    origin: dict[str, Any]


def join(
    folders: Sequence[Path],
    out: Path,
    name: str,
    version: str,
    small_print: int | None = None,
    near: Path | None = None,
) -> None:
    """Write the networks of the versions in folders, and a model.json, under out.

    ``small_print``: see ModelVersion; unless said, that of the version which lends the largest look. ``near``: a
    version with one look, whose network is for parts seen from near.

    DatasetError: they cannot be one model's.
    """
    looks = {look.size: look for folder in folders for look in _looks(folder)}
    if near:
        looks[_NEAR] = replace(next(_looks(near)), size=_NEAR)
    sizes = sorted(looks, reverse=True)
    largest_first = [looks[size] for size in sizes]
    kinds = largest_first[0].kinds
    if any(look.kinds != kinds for look in largest_first):
        raise DatasetError("The networks tell different kinds apart: train all of them with the same --kinds.")
    out.mkdir(parents=True)
    if small_print is None:
        small_print = largest_first[0].small_print
    release = Release(name, version, tuple(size for size in sizes if size != _NEAR), small_print)
    described = release.described(kinds, {"networks": [look.origin for look in largest_first]})
    described["files"] = {
        form: [_copied(look, form, out) for look in largest_first] for form in largest_first[0].weights
    }
    (out / "model.json").write_text(json.dumps(described, indent=2) + "\n")


def _looks(folder: Path) -> Iterator[_Look]:
    described = json.loads((folder / "model.json").read_text())
    networks = described.get("networks", [described] * len(described["input_sizes"]))
    for place, (size, origin) in enumerate(zip([*described["input_sizes"], _NEAR], networks, strict=False)):
        files = {form: given[place] if isinstance(given, list) else given for form, given in described["files"].items()}
        weights = {form: folder / file["path"] for form, file in files.items()}
        came_from = {key: origin[key] for key in _OF_A_NETWORK}
        yield _Look(size, described.get("small_print", 0), described["classes"], weights, came_from)


def _copied(look: _Look, form: str, out: Path) -> dict[str, str]:
    source = look.weights[form]
    size = "near" if look.size == _NEAR else look.size
    return recorded(Path(shutil.copyfile(source, out / f"model-{size}{source.suffix}")))


def main(arguments: list[str] | None = None) -> None:
    """Command line of the module."""
    parser = parser_of("joining", __doc__)
    parser.add_argument("--looks", type=Path, action="append", required=True, help="a version's folder; give several")
    parser.add_argument("--near", type=Path, help="a version's folder: its network sees stamps from near")
    chosen = parser.parse_args(arguments)
    try:
        join(chosen.looks, chosen.out, chosen.name, chosen.version, chosen.small_print, chosen.near)
    except (DatasetError, OSError) as error:
        sys.exit(str(error))
    say_what_is_next(chosen.out)


if __name__ == "__main__":
    main()
