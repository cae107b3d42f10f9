"""Small documents for tests, sound and bad."""

import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from PIL import Image, ImageDraw

CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
ONE_PAGE = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


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


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of these chunks, name and content, each with its right checksum."""
    framed = (
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )
    return _PNG_SIGNATURE + b"".join(framed)


def png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of a PNG's chunks."""
    place = len(_PNG_SIGNATURE)
    while place + 12 <= len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        yield content[place + 4 : place + 8], content[place + 8 : place + 8 + length]
        place += 12 + length


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims any size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return png((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))


def unreadable_png() -> bytes:
    """A PNG whose packed pixels are noise from the middle on, though its checksums are right."""
    chunks = dict(png_chunks(saved(Image.effect_noise((120, 200), 50), "PNG")))
    pixels = chunks[b"IDAT"]
    half = len(pixels) // 2
    return png(*(chunks | {b"IDAT": pixels[:half] + b"\xff" * 40 + pixels[half + 40 :]}).items())


def png_of_palette(*, before: bytes | None = None, after: bytes | None = None) -> bytes:
    """A PNG of palette indices, all 0, with a palette before or after its pixels, or none."""
    header = (b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 3, 0, 0, 0))
    palettes = [[(b"PLTE", colours)] if colours is not None else [] for colours in (before, after)]
    return png(header, *palettes[0], (b"IDAT", zlib.compress(bytes(10 * 9))), *palettes[1], (b"IEND", b""))


def raw_tiff(
    pixels: bytes, size: tuple[int, int], bits: int, *, order: str = "<", kind: int = 1, photometric: int = 1
) -> bytes:
    """A grey TIFF, bytes in struct's ``order``, its numbers of a ``kind``: 1 unsigned, 2 signed, 3 floating."""
    shorts = {258: bits, 259: 1, 262: photometric, 277: 1, 339: kind}
    longs = {256: size[0], 257: size[1], 273: 8, 278: size[1], 279: len(pixels)}
    entries = [(tag, struct.pack(order + "HHIHH", tag, 3, 1, value, 0)) for tag, value in shorts.items()]
    entries += [(tag, struct.pack(order + "HHII", tag, 4, 1, value)) for tag, value in longs.items()]
    head = struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 8 + len(pixels))
    directory = b"".join(entry for _, entry in sorted(entries))
    return head + pixels + struct.pack(order + "H", len(entries)) + directory + bytes(4)


def webp_claiming(width: int, height: int) -> bytes:
    """An animated WebP of a few bytes whose canvas claims any size."""
    return _webp(b"VP8X", bytes([2, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little"))


def lossless_webp_claiming(width: int, height: int) -> bytes:
    """The same of a simple WebP."""
    return _webp(b"VP8L", b"\x2f" + (width - 1 | height - 1 << 14).to_bytes(4, "little") + bytes(9))


def lossy_webp_claiming(width: int, height: int) -> bytes:
    """The same of the other simple WebP."""
    return _webp(b"VP8 ", b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height) + bytes(10))


def _webp(kind: bytes, content: bytes) -> bytes:
    chunk = kind + struct.pack("<I", len(content)) + content
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk
