"""The id of a request: it travels with the job, is on every log line and in every answer."""

import re
from uuid import uuid4

from starlette.types import Scope

_SANE = re.compile(r"[A-Za-z0-9._:\-]{1,128}")


def assign(scope: Scope) -> str:
    """Give the request an id: the caller's own (``X-Request-ID``) when it is sane, else a new one."""
    sent = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"").decode("latin-1")
    chosen = sent if _SANE.fullmatch(sent) else uuid4().hex
    scope.setdefault("state", {})["request_id"] = chosen
    return chosen


def request_id_of(scope: Scope) -> str:
    """The id assigned to this request."""
    return str(scope["state"]["request_id"])
