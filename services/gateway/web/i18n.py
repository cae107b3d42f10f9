"""French and English: texts by key from ``locales/<language>/*.json``, numbers and sizes as each language writes them.

A text may hold ``{names}``. Where a number decides between forms, both are written ``one|other``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LANGUAGES = {"en": "English", "fr": "Français"}
DEFAULT = "en"

_FOLDER = Path(__file__).parent / "locales"
_NARROW_SPACE = "\u202f"


@cache
def texts(language: str) -> Mapping[str, str]:
    """Every text of a language."""
    found: dict[str, str] = {}
    for path in sorted((_FOLDER / language).glob("*.json")):
        found.update(json.loads(path.read_text(encoding="utf-8")))
    return found


def preferred(accept_language: str) -> str:
    """The language of ours that a browser's ``Accept-Language`` wants most."""
    wanted: list[tuple[float, str]] = []
    for part in accept_language.split(","):
        name, _, parameters = part.strip().partition(";")
        language = name.split("-")[0].lower()
        if language in LANGUAGES:
            wanted.append((-_quality(parameters), language))
    return min(wanted, key=lambda one: one[0])[1] if wanted else DEFAULT


def _quality(parameters: str) -> float:
    try:
        return float(parameters.strip().removeprefix("q="))
    except ValueError:
        return 1.0


@dataclass(frozen=True, slots=True)
class Translator:
    """The words of one language. Called with a key, as templates do."""

    language: str

    def __call__(self, key: str, **values: object) -> str:
        """The text; a KeyError when there is none, for a page with a hole in it is a mistake of ours."""
        text = texts(self.language)[key]
        return text.format(**values) if values else text

    def has(self, key: str) -> bool:
        """Whether there is such a text."""
        return key in texts(self.language)

    def count(self, key: str, number: int, **values: object) -> str:
        """The form of the text that goes with the number, which it may name as ``{n}``."""
        one, _, other = texts(self.language)[key].partition("|")
        singular = abs(number) < 2 if self.language == "fr" else abs(number) == 1
        return (one if singular else other or one).format(n=self.number(number), **values)

    def number(self, value: float, digits: int = 0) -> str:
        """With the language's own separators."""
        text = f"{value:,.{digits}f}"
        if self.language == "fr":
            return text.replace(",", _NARROW_SPACE).replace(".", ",")
        return text

    def percent(self, share: float, digits: int = 0) -> str:
        """A share of 0..1."""
        text = self.number(share * 100, digits)
        return f"{text}{_NARROW_SPACE}%" if self.language == "fr" else f"{text}%"

    def size(self, count: int) -> str:
        """A number of bytes, rounded for people."""
        units = ("o", "ko", "Mo", "Go") if self.language == "fr" else ("B", "kB", "MB", "GB")
        value, unit = float(count), units[0]
        for unit in units:
            if value < 1024 or unit == units[-1]:
                break
            value /= 1024
        digits = 1 if unit != units[0] and value < 10 and value != int(value) else 0
        return f"{self.number(value, digits)}\u00a0{unit}"

    def duration(self, seconds: float) -> str:
        """A span of time, in the unit that suits it."""
        if seconds < 1:
            return f"{self.number(seconds * 1000)}\u00a0ms"
        if seconds < 60:
            return f"{self.number(seconds, 1)}\u00a0s"
        if seconds < 5400:
            return f"{self.number(seconds / 60)}\u00a0min"
        if seconds < 48 * 3600:
            return f"{self.number(seconds / 3600)}\u00a0h"
        return f"{self.number(seconds / 86400)}\u00a0{'j' if self.language == 'fr' else 'd'}"

    def starting_with(self, *prefixes: str) -> dict[str, str]:
        """All texts whose keys start so: what a script needs."""
        return {key: text for key, text in texts(self.language).items() if key.startswith(prefixes)}
