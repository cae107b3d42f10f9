"""Small documents for tests, sound and bad."""

import io
import struct
import zlib
from collections.abc import Sequence
from functools import cache
from typing import Any

from PIL import Image, ImageDraw

CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
ONE_PAGE = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"


def striped(width: int = 120, height: int = 200) -> Image.Image:
    """White paper with a black upper left quarter, so that every turn and flip looks different, and a red dot."""
    page = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 0, width // 2 - 1, height // 4 - 1), fill="black")
    draw.rectangle((width - 20, height - 20, width - 1, height - 1), fill="red")
    return page


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    """The image as a file's bytes."""
    content = io.BytesIO()
    image.save(content, form, **options)
    return content.getvalue()


def pdf(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """A PDF out of its numbered objects, the first its catalog."""
    body = bytearray(b"%PDF-1.7\n")
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    body += b"trailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)
    return bytes(body)


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """A PDF stream object."""
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (entries, len(content), content)


def one_page_pdf(
    content: bytes = b"",
    box: bytes = b"0 0 72 144",
    page: bytes = b"",
    filters: bytes = b"",
    more: Sequence[bytes] = (),
) -> bytes:
    """A PDF of one page, by default of 1 x 2 inches; ``more`` are objects from number 5 on."""
    head = b"<</Type/Page/Parent 2 0 R/MediaBox[%s]/Contents 4 0 R%s>>" % (box, page)
    return pdf([CATALOG, ONE_PAGE, head, stream(content, filters), *more])


def pdf_of_pages(count: int) -> bytes:
    """A PDF that shows one small page ``count`` times."""
    kids = b"<</Type/Pages/Count %d/Kids[%s]>>" % (count, b"3 0 R " * count)
    return pdf([CATALOG, kids, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>"])


def encrypted_pdf() -> bytes:
    """A PDF that wants a password."""
    key = b"/ID[<00><00>]/Encrypt<</Filter/Standard/V 1/R 2/O<%s>/U<%s>/P -4>>" % (b"AB" * 32, b"CD" * 32)
    return pdf([CATALOG, ONE_PAGE, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>"], key)


@cache
def expanding_pdf(megabytes: int = 300) -> bytes:
    """A few kilobytes that unpack to ``megabytes`` of drawing commands."""
    packer = zlib.compressobj(9)
    block = b"0 0 1 1 re f\n" * 80_000
    packed = b"".join(packer.compress(block) for _ in range(megabytes)) + packer.flush()
    return one_page_pdf(zlib.compress(packed, 9), filters=b"/Filter[/FlateDecode/FlateDecode]")


def endless_pdf() -> bytes:
    """A form that draws a form twenty times, twelve levels deep: nothing large, and no end in sight."""
    levels = 12
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 600 900]"
    resources = b"/Resources<</XObject<</X %d 0 R>>>>"
    forms = [stream(b"/X Do " * 20, form + resources % (6 + level)) for level in range(levels - 1)]
    return one_page_pdf(b"/X Do", page=resources % 5, more=[*forms, stream(b"0 0 m 9 9 l S " * 100, form)])


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims any size."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b""))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def webp_claiming(width: int, height: int) -> bytes:
    """An animated WebP of a few bytes whose canvas claims any size."""
    canvas = bytes([2, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunks = b"VP8X" + struct.pack("<I", len(canvas)) + canvas
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks
