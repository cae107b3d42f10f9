"""Each kind of bad file has its own code and a sentence that helps; none harms the renderer."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from PIL import Image

from benchmarks.fuzz_documents import fuzz, seed_documents, try_document
from shared.domain.errors import DocumentError, ErrorCode
from shared.pages.renderer import RenderedPage, Renderer
from tests.unit.pages.making import (
    CATALOG,
    encrypted_pdf,
    endless_pdf,
    expanding_pdf,
    lossless_webp_claiming,
    lossy_webp_claiming,
    one_page_pdf,
    pdf,
    pdf_of_pages,
    png,
    png_chunks,
    png_claiming,
    png_of_palette,
    saved,
    striped,
    unreadable_png,
    webp_claiming,
)

Render = Callable[..., list[RenderedPage]]
JPEG = saved(striped(), "JPEG")
PNG = saved(striped(), "PNG")
LZW = saved(striped(), "TIFF", compression="tiff_lzw")
SMALL_MEMORY: dict[str, float] = {"memory_bytes": 256 * 1024**2}
SEEDS = seed_documents()
FRAMES = saved(striped(), "TIFF", save_all=True, append_images=[striped()] * 4)

BAD: dict[str, tuple[bytes, dict[str, float], ErrorCode | None]] = {
    "nothing": (b"", {}, ErrorCode.EMPTY_DOCUMENT),
    "text": (b"Dear Sir, please find attached", {}, ErrorCode.UNSUPPORTED_TYPE),
    "gif": (saved(Image.new("L", (9, 9)), "GIF"), {}, ErrorCode.UNSUPPORTED_TYPE),
    "json": (b'{"image": "none"}', {}, ErrorCode.UNSUPPORTED_TYPE),
    "pdf of noise": (b"%PDF-1.7\n" + b"noise " * 50 + b"%%EOF", {}, ErrorCode.CORRUPT_DOCUMENT),
    "png without pixels": (png_claiming(50, 50), {}, ErrorCode.TRUNCATED_DOCUMENT),
    "jpeg with a damaged head": (b"\xff\xd8\xff" + bytes(40) + JPEG[43:], {}, ErrorCode.CORRUPT_DOCUMENT),
    "png with damaged pixels": (PNG[:60] + bytes(20) + PNG[80:], {}, ErrorCode.CORRUPT_DOCUMENT),
    "png whose pixels were damaged before they were summed": (unreadable_png(), {}, ErrorCode.CORRUPT_DOCUMENT),
    "png without its palette": (png_of_palette(), {}, ErrorCode.CORRUPT_DOCUMENT),
    "png of an empty palette": (png_of_palette(before=b""), {}, ErrorCode.CORRUPT_DOCUMENT),
    "png whose palette comes late": (png_of_palette(after=b"\xff\xff\xff"), {}, ErrorCode.CORRUPT_DOCUMENT),
    "tiff with damaged pixels": (LZW[:12] + b"noise" * 8 + LZW[52:], {}, ErrorCode.CORRUPT_DOCUMENT),
    "encrypted pdf": (encrypted_pdf(), {}, ErrorCode.ENCRYPTED_DOCUMENT),
    "pdf without pages": (pdf([CATALOG, b"<</Type/Pages/Kids[]/Count 0>>"]), {}, ErrorCode.NO_PAGES),
    "pdf of too many pages": (pdf_of_pages(6), {"max_pages": 5}, ErrorCode.TOO_MANY_PAGES),
    "pdf that lies about its pages": (
        pdf([CATALOG, b"<</Type/Pages/Kids[]/Count 1000000>>"]),
        {},
        ErrorCode.TOO_MANY_PAGES,
    ),
    "tiff of too many pages": (FRAMES, {"max_pages": 4}, ErrorCode.TOO_MANY_PAGES),
    "png bomb": (png_claiming(50_000, 50_000), {}, ErrorCode.PAGE_TOO_LARGE),
    "png beyond reason": (png_claiming(2**31 - 1, 2**31 - 1), {}, ErrorCode.PAGE_TOO_LARGE),
    "webp bomb": (webp_claiming(16_000, 16_000), {}, ErrorCode.PAGE_TOO_LARGE),
    "lossless webp bomb": (lossless_webp_claiming(16_383, 16_383), {}, ErrorCode.PAGE_TOO_LARGE),
    "lossy webp bomb": (lossy_webp_claiming(16_383, 16_383), {}, ErrorCode.PAGE_TOO_LARGE),
    "jpeg above the limit": (saved(striped(), "JPEG"), {"max_page_pixels": 20_000}, ErrorCode.PAGE_TOO_LARGE),
    "tiff above the limit": (saved(striped(), "TIFF"), {"max_page_pixels": 20_000}, ErrorCode.PAGE_TOO_LARGE),
    "pdf of 200 inches": (
        one_page_pdf(box=b"0 0 14400 14400"),
        {"max_page_pixels": 20_000_000},
        ErrorCode.PAGE_TOO_LARGE,
    ),
    "pdf that expands": (expanding_pdf(), SMALL_MEMORY, ErrorCode.RENDER_MEMORY),
    "png larger than memory": (saved(Image.new("L", (9000, 9000)), "PNG", compress_level=1), SMALL_MEMORY, None),
    "pdf without end": (endless_pdf(), {"seconds_per_page": 0.5}, ErrorCode.RENDER_TIMEOUT),
    "pdf whose time is up": (endless_pdf(), {"seconds": 0.5}, ErrorCode.RENDER_TIMEOUT),
}


@pytest.mark.parametrize("name", BAD)
def test_each_bad_file_has_its_code(render: Render, name: str) -> None:
    content, limits, code = BAD[name]
    if code is None:  # a greyscale page fits where the same page in colour would not
        assert len(render(content, **limits)) == 1
        return
    with pytest.raises(DocumentError) as caught:
        render(content, **limits)
    assert caught.value.code is code
    assert caught.value.detail.endswith(".")
    assert len(caught.value.detail.split()) >= 6
    assert len(render(saved(striped(), "PNG"))) == 1


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("name", sorted(SEEDS))
def test_a_file_cut_short_is_never_a_page(render: Render, name: str, share: float) -> None:
    content = SEEDS[name]
    with pytest.raises(DocumentError) as caught:
        render(content[: max(20, int(len(content) * share))])
    assert caught.value.code is ErrorCode.TRUNCATED_DOCUMENT


def test_damaged_documents_give_pages_or_a_code() -> None:
    outcomes = fuzz(count=400, seed=20, processes=2)
    assert [outcome for outcome in outcomes if outcome.is_fault] == []
    results = Counter(outcome.result for outcome in outcomes)
    assert results["pages"] > 50
    assert {"corrupt_document", "truncated_document", "unsupported_type"} <= set(results)


def test_pngs_of_damaged_chunks_under_right_checksums_give_pages_or_a_code(renderer: Renderer, tmp_path: Path) -> None:
    sound = [content for name, content in SEEDS.items() if name.endswith(".png")]
    chance = Random(20)
    results: Counter[str] = Counter()
    for number in range(300):
        path = tmp_path / f"{number}.png"
        path.write_bytes(with_a_damaged_chunk(chance.choice(sound), chance))
        outcome = try_document(renderer, path.name, path)
        assert not outcome.is_fault, outcome
        results[outcome.result] += 1
    assert results["pages"] > 10
    assert results["corrupt_document"] > 100


def with_a_damaged_chunk(content: bytes, chance: Random) -> bytes:
    """A PNG of which a chunk lacks, or is in another place, or differs in a byte."""
    chunks = list(png_chunks(content))
    place = chance.randrange(len(chunks) - 1)
    name, inside = chunks.pop(place)
    match chance.choice(("lost", "moved", "changed")):
        case "moved":
            chunks.insert(chance.randrange(len(chunks)), (name, inside))
        case "changed":
            changed = chance.randrange(len(inside))
            chunks.insert(place, (name, inside[:changed] + chance.randbytes(1) + inside[changed + 1 :]))
    return png(*chunks)
