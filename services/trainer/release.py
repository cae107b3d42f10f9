"""What every new model version is, however it came about: its first lines in model.json, and what it is called."""

import argparse
import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from shared.domain.model_version import Calibration


@dataclass(frozen=True)
class Release:
    """What a version is called, and its looks at a page, in pixels, largest first: see ModelVersion."""

    name: str
    version: str
    sizes: tuple[int, ...] = ()
    small_print: int = 0

    def described(self, classes: list[str], origin: dict[str, Any]) -> dict[str, Any]:
        """model.json but for its files: raw scores and placeholders for thresholds, until it is calibrated."""
        return {
            "name": self.name,
            "version": self.version,
            "classes": classes,
            "input_sizes": list(self.sizes),
            "small_print": max(self.small_print, *self.sizes),
            "thresholds": {"accept": 0.5, "review": 0.25},
            "calibration": asdict(Calibration()),
            **origin,
            "metrics": {},
            "licence": "AGPL-3.0-or-later",
        }


def recorded(path: Path) -> dict[str, str]:
    """A file as model.json names it."""
    return {"path": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def parser_of(module: str, about: str | None) -> argparse.ArgumentParser:
    """The command line of a module that writes a version: its folder, name and number."""
    parser = argparse.ArgumentParser(
        prog=f"python -m services.trainer.{module}",
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, required=True, help="the version's folder, outside models/")
    parser.add_argument("--name", default="signatures", help="what requests call the model (default: %(default)s)")
    parser.add_argument("--version", required=True, help="a number, higher than that of the version in use")
    parser.add_argument(
        "--small-print",
        type=int,
        help="px of the longer side of pages in small print at the largest look (default: what the version says that "
        "lends this look; else as of other pages)",
    )
    return parser


def say_what_is_next(out: Path) -> None:
    """A version without calibration is of no use yet."""
    print(f"Now: paraphe model calibrate --weights {out} --data DIR")
