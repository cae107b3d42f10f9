"""Documents on their way in."""

import asyncio
import hashlib
import tempfile
from pathlib import Path
from typing import Any, cast

import pytest

from services.gateway.intake import Intake, ReceivedDocument
from services.gateway.problems import Problem

PNG = b"\x89PNG\r\n\x1a\n"


def take(content: bytes, declared: str = "", limit: int = 1_000_000) -> ReceivedDocument:
    intake = Intake(limit, 1000)
    for start in range(0, len(content), 100):
        intake.write(content[start : start + 100])
        asyncio.run(intake.settle())
    return intake.finish(declared, "name")


def test_large_documents_lie_on_disk_and_small_ones_do_not() -> None:
    small, large = take(PNG), take(PNG + bytes(5000))
    for document, content, on_disk in ((small, PNG, False), (large, PNG + bytes(5000), True)):
        assert document.sha256 == hashlib.sha256(content).hexdigest()
        assert document.file.read() == content
        assert cast(Any, document.file)._rolled is on_disk
        document.close()


@pytest.mark.parametrize("declared", ["", "application/octet-stream", "image/png", "image/x-png"])
def test_what_it_may_be_declared_as(declared: str) -> None:
    assert take(PNG, declared).media_type == "image/png"


@pytest.mark.parametrize(
    ("content", "declared", "code"),
    [
        (b"", "image/png", "empty_document"),
        (b"hello", "", "unsupported_type"),
        (PNG, "image/jpeg", "wrong_content_type"),
        (PNG, "text/html", "wrong_content_type"),
        (PNG + bytes(100), "", "document_too_large"),
    ],
)
def test_what_is_refused(content: bytes, declared: str, code: str) -> None:
    with pytest.raises(Problem) as refused:
        take(content, declared, limit=100)
    assert refused.value.code == code


@pytest.mark.parametrize("size", [1001, 500_000])
def test_a_full_temporary_folder_is_a_refusal_for_now(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """A little is found not to fit only once the buffer is written."""
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Path("/dev/full").open("w+b"))  # noqa: SIM115
    intake = Intake(1_000_000, 1000)
    intake.write(PNG + bytes(size))
    with pytest.raises(Problem, match="temporary folder is full") as refused:
        intake.finish("", None)
    assert (refused.value.status, "Retry-After" in refused.value.headers) == (503, True)
    intake.close()
