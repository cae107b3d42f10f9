"""What renderer and child say to each other: a request is one JSON line, an answer is frames.

A frame is four bytes of length and a JSON object; a page's frame is followed by its raster's raw bytes.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from shared.domain.fit import Fit
from shared.pages.limits import RenderLimits

LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class Request:
    """Pages wanted of a document: all of them, one (``page``), or with no ``fit`` only their number."""

    path: str
    limits: RenderLimits
    fit: Fit | None = None
    page: int | None = None

    def encode(self) -> bytes:
        """One line."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> "Request":
        """The request in a line."""
        fields = json.loads(line)
        fit = fields["fit"]
        return cls(
            path=fields["path"],
            limits=RenderLimits(**fields["limits"]),
            fit=Fit(**fit) if fit else None,
            page=fields["page"],
        )


def frame(content: dict[str, Any]) -> bytes:
    """One framed JSON object."""
    body = json.dumps(content).encode()
    return len(body).to_bytes(LENGTH_BYTES, "big") + body
