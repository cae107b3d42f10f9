"""Words that jobs are found by: those of the file name and of the metadata, without case and accents."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

_WORD = re.compile(r"[^\W_]+")
_MOST_WORDS = 300
_LONGEST = 60


def search_words(filename: str | None, metadata: dict[str, Any]) -> list[str]:
    """The words of one job, sorted, each once. Metadata counts with its keys and its values, at any depth."""
    found = {word for text in (filename or "", *_texts(metadata)) for word in words(text)}
    return sorted(found)[:_MOST_WORDS]


def words(text: str) -> list[str]:
    """The words of a text in order: "Bail_Évry-2024.pdf" has bail, evry, 2024 and pdf."""
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return [word[:_LONGEST] for word in _WORD.findall(plain.casefold())]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
