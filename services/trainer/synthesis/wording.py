"""What the documents say: sentences, names, dates and amounts in French, English and (as a foreign script) Russian."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

_FOLDER = Path(__file__).parent / "wording"
_LATIN = str.maketrans("АБВГДЕИКЛМНОПРСТ", "ABVGDEIKLMNOPRST")


@cache
def _phrases(language: str) -> dict[str, list[str]]:
    loaded: dict[str, list[str]] = json.loads((_FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    return loaded


@dataclass(frozen=True)
class Wording:
    """Draws phrases of one language; the same generator state gives the same words."""

    language: str
    rng: np.random.Generator

    def pick(self, key: str) -> str:
        """One phrase of that kind, its placeholders filled in."""
        choices = _phrases(self.language)[key]
        return self._filled(choices[int(self.rng.integers(len(choices)))])

    def name(self) -> str:
        """First and last name of a person."""
        return f"{self.pick('first')} {self.pick('last')}"

    def company(self) -> str:
        """A company with its legal form."""
        return f"{self.pick('company')} {self.pick('form')}"

    def address(self) -> str:
        """Number, street and town."""
        return f"{int(self.rng.integers(1, 250))} {self.pick('street')}, {self.pick('city')}"

    def date(self) -> str:
        """A date in words."""
        day, month, year = self._day()
        if self.language == "en":
            return f"{month} {day}, {year}"
        return f"{day} {month} {year}"

    def short_date(self) -> str:
        """A date in figures."""
        rng = self.rng
        separator = "/" if rng.random() < 0.7 else "."
        numbers = (rng.integers(1, 29), rng.integers(1, 13), rng.integers(0, 27))
        return separator.join(f"{int(number):02d}" for number in numbers)

    def amount(self) -> str:
        """An amount of money with cents."""
        value = int(10 ** self.rng.uniform(2, 6))
        return f"{value:,}".replace(",", "," if self.language == "en" else " ") + f".{int(self.rng.integers(100)):02d}"

    def number(self, digits: int = 8) -> str:
        """A run of digits."""
        return "".join(str(int(digit)) for digit in self.rng.integers(0, 10, digits))

    def paragraph(self, sentences: int) -> str:
        """That many sentences in a row."""
        return " ".join(self.pick("sentence") for _ in range(sentences))

    def _day(self) -> tuple[int, str, int]:
        return int(self.rng.integers(1, 29)), self.pick("month"), int(self.rng.integers(1962, 2026))

    def _filled(self, phrase: str) -> str:
        if "{" not in phrase:
            return phrase
        day, month, year = self._day()
        return phrase.format(
            city=self.pick("city"),
            first=self.pick("first"),
            last=self.pick("last"),
            date=self.date(),
            short=self.short_date(),
            amount=self.amount(),
            number=self.number(6),
            day=day,
            month=month,
            year=year,
        )


def signable(name: str) -> str:
    """Words the cursive alphabet can write: Cyrillic capitals become Latin ones, small letters some that look so."""
    latin = name.replace("É", "E").replace("-", " ").translate(_LATIN)
    return "".join("nolaeirtsv"[ord(char) % 10] if "а" <= char <= "я" else char for char in latin)
