"""What a PromQL expression names. promtool checks its syntax; this only finds the names in it."""

import re
from collections.abc import Iterator

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_SELECTOR = re.compile(r"\b([a-zA-Z_:][\w:]*)\b(?!\s*\()\s*(\{[^}]*\})?")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_WORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "bool", "offset"}


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
