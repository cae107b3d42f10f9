import pytest
from PIL import Image

from shared.pages.sniff import MEDIA_TYPES, media_type
from tests.unit.pages.making import one_page_pdf, saved

PAGE = Image.new("L", (8, 8))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (saved(PAGE, "JPEG"), "image/jpeg"),
        (saved(PAGE, "PNG"), "image/png"),
        (saved(PAGE, "TIFF"), "image/tiff"),
        (b"MM\x00*" + bytes(20), "image/tiff"),
        (b"II+\x00" + bytes(20), "image/tiff"),
        (saved(PAGE, "WEBP"), "image/webp"),
        (one_page_pdf(), "application/pdf"),
        (b"\r\n junk " * 20 + one_page_pdf(), "application/pdf"),
    ],
)
def test_recognises_documents_by_content(content: bytes, expected: str) -> None:
    assert media_type(content) == expected
    assert expected in MEDIA_TYPES


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xd8", b"GIF89a" + bytes(20), b"PK\x03\x04", b"<html>", bytes(2000) + b"%PDF-1.7", b"RIFF1234WAVE"],
)
def test_knows_nothing_else(content: bytes) -> None:
    assert media_type(content) is None
