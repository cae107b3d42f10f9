"""Each kind of bad file has its own code and a sentence that helps; none harms the renderer."""

from collections import Counter
from collections.abc import Callable

import pytest
from PIL import Image

from benchmarks.fuzz_documents import fuzz, seed_documents
from shared.domain.errors import DocumentError, ErrorCode
from shared.pages.renderer import RenderedPage
from tests.unit.pages.making import (
    CATALOG,
    encrypted_pdf,
    endless_pdf,
    expanding_pdf,
    one_page_pdf,
    pdf,
    pdf_of_pages,
    png_claiming,
    saved,
    striped,
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
