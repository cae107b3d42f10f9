"""What a PromQL expression names. promtool checks its syntax; this only finds the names in it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_SELECTOR = re.compile(r"\b([a-zA-Z_:][\w:]*)\b(?!\s*\()\s*(\{[^}]*\})?")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_WORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "bool", "offset"}
_COUNTED = re.compile(r"\b(?:rate|increase)\(([\w:]+)(\{[^}]*\})?\[")
_TEST = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')


@dataclass(frozen=True)
class Counted:
    """A series whose growth is looked at; ``tests`` are its matchers: label, operator, value."""

    name: str
    tests: tuple[tuple[str, str, str], ...]

    def takes(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether a series is meant."""
        return name == self.name and all(_holds(labels.get(label, ""), *rest) for label, *rest in self.tests)

    def each_alternative(self) -> "Iterator[Counted]":
        """One for each word of a matcher like ``code=~"a|b"``; itself when there is none."""
        for number, (label, operator, value) in enumerate(self.tests):
            if operator == "=~" and "|" in value:
                others = self.tests[:number] + self.tests[number + 1 :]
                yield from (Counted(self.name, (*others, (label, "=~", word))) for word in value.split("|"))
                return
        yield self


def _holds(found: str, operator: str, value: str) -> bool:
    matches = re.fullmatch(value, found) is not None if "~" in operator else found == value
    return matches is not operator.startswith("!")


def counted(expr: str) -> Iterator[Counted]:
    """Each series that ``rate`` or ``increase`` is taken of."""
    for name, matchers in _COUNTED.findall(expr):
        yield Counted(name, tuple(_TEST.findall(matchers)))


def selectors(expr: str) -> Iterator[tuple[str, set[str]]]:
    """Each series named, with the labels it is matched by."""
    bare = _GROUPING.sub(" ", _STRING.sub('""', expr))
    bare = re.sub(r"\[[^\]]*\]", "", bare)
    for name, matchers in _SELECTOR.findall(bare):
        if name not in _WORDS and not re.fullmatch(r"\d\w*", name):
            yield name, set(_MATCHER.findall(matchers))


def grouped_by(expr: str) -> set[str]:
    """Labels that results are grouped or joined by."""
    lists = _GROUPING.findall(_STRING.sub('""', expr))
    return {label.strip() for names in lists for label in names.split(",") if label.strip()}
