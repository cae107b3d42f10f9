"""Tags of versions: what a reader is given, and what a writer must show (RFC 9110, If-Match)."""

import re

from services.gateway.problems import Problem, ProblemCode

_TAG = re.compile(r'\s*(W/)?"([^"]*)"\s*(?:,|$)')


def tag_of(version: int) -> str:
    """The strong entity tag of a version; 0 is "not there yet"."""
    return f'"{version}"'


def expected_version(if_match: str | None, in_force: int) -> int | None:
    """The version the writer read. None when any will do (``*``).

    A problem when the header is missing (428). Of several tags the one in force counts, if it is among them; weak
    tags and strings that are none of ours never match.
    """
    if if_match is None:
        raise Problem(
            ProblemCode.PRECONDITION_REQUIRED,
            "Read the page's correction first and send its ETag as If-Match, so that nobody's work is overwritten.",
        )
    if if_match.strip() == "*":
        return None
    tags = {tag for weak, tag in _TAG.findall(if_match) if not weak}
    return in_force if str(in_force) in tags else -1
