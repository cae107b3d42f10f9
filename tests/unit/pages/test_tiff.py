from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from shared.pages.renderer import RenderedPage
from tests.unit.pages.making import raw_tiff, saved, striped

Render = Callable[..., list[RenderedPage]]


@pytest.mark.parametrize("compression", ["group4", "group3", "packbits", "tiff_lzw", "tiff_deflate", "raw"])
def test_bilevel_scans(render: Render, compression: str) -> None:
    (page,) = render(saved(striped().convert("1"), "TIFF", compression=compression))
    assert (page.width, page.height) == (120, 200)
    assert page.raster[10, 10].max() < 10
    assert page.raster[50, 30].min() > 245


def test_every_frame_is_a_page_of_its_own_size(render: Render) -> None:
    more = [striped(300, 150).convert("L"), striped(50, 50)]
    pages = render(saved(striped().convert("1"), "TIFF", save_all=True, append_images=more, compression="tiff_deflate"))
    assert [(page.number, page.width, page.height) for page in pages] == [(1, 120, 200), (2, 300, 150), (3, 50, 50)]
    assert [page.raster.shape[:2] for page in pages] == [(100, 60), (50, 100), (100, 100)]


def test_thumbnails_are_no_pages(render: Render) -> None:
    thumbnail = TiffImagePlugin.ImageFileDirectory_v2()
    thumbnail[254] = 1
    small = striped(30, 50)
    small.encoderinfo = {"tiffinfo": thumbnail}
    pages = render(saved(striped(), "TIFF", save_all=True, append_images=[small]))
    assert [(page.width, page.height) for page in pages] == [(120, 200)]


def test_a_file_of_only_thumbnails_still_shows_them(render: Render) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[254] = 1
    assert len(render(saved(striped(), "TIFF", tiffinfo=tags))) == 1


def test_min_is_white(render: Render) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[262] = 0
    (page,) = render(saved(striped().convert("1"), "TIFF", tiffinfo=tags))
    assert page.raster[10, 10].max() < 10


def test_sixteen_bits(render: Render) -> None:
    deep = striped().convert("L").convert("I").point(lambda value: value * 257).convert("I;16")
    (page,) = render(saved(deep, "TIFF"))
    assert page.raster[10, 10].max() < 10
    assert page.raster[50, 30].min() > 245


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
def test_sixteen_bits_of_which_none_is_white(render: Render, compression: str) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[262] = 0
    deep = striped().convert("L").convert("I").point(lambda value: 65535 - value * 257).convert("I;16")
    (page,) = render(saved(deep, "TIFF", tiffinfo=tags, compression=compression))
    assert page.raster[10, 10].max() < 10
    assert page.raster[50, 30].min() > 245


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("white_is_zero", [False, True])
def test_floats(render: Render, order: str, white_is_zero: bool) -> None:
    page = np.asarray(striped().convert("L")) / 255
    pixels = (1 - page if white_is_zero else page).astype(f"{order}f4").tobytes()
    is_as_seen(render(raw_tiff(pixels, (120, 200), 32, order=order, kind=3, photometric=0 if white_is_zero else 1)))


@pytest.mark.parametrize("white", [2**32 - 1, 2**31, 65535])
def test_unsigned_numbers_of_thirty_two_bits(render: Render, white: int) -> None:
    pixels = (np.asarray(striped().convert("L")) / 255 * white).astype("<u4").tobytes()
    is_as_seen(render(raw_tiff(pixels, (120, 200), 32)))


def test_a_blank_page_of_numbers_without_a_scale_is_paper(render: Render) -> None:
    blank = np.full((200, 120), 2**32 - 1, dtype="<u4").tobytes()
    assert render(raw_tiff(blank, (120, 200), 32))[0].raster.min() == 255


def test_twelve_bits(render: Render) -> None:
    first, second = (np.asarray(striped().convert("L"), dtype=np.uint16).reshape(-1, 2) // 255 * 4095).T
    packed = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], axis=1).astype(np.uint8)
    is_as_seen(render(raw_tiff(packed.tobytes(), (120, 200), 12)))


def is_as_seen(pages: list[RenderedPage]) -> None:
    """The black quarter is black, and the paper white."""
    assert pages[0].raster[10, 10].max() < 10
    assert pages[0].raster[50, 30].min() > 245


@pytest.mark.parametrize(
    ("dpi", "orientation", "size"),
    [
        ((204, 98), 1, (120, 416)),
        ((98, 204), 1, (250, 200)),
        ((204, 98), 6, (416, 120)),
        ((204, 196), 1, (120, 200)),
        ((300, 1), 1, (120, 200)),
        ((0, 0), 1, (120, 200)),
    ],
)
def test_a_fax_is_not_squashed(render: Render, dpi: tuple[int, int], orientation: int, size: tuple[int, int]) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[274] = orientation
    tags[282], tags[283] = dpi
    (page,) = render(saved(striped().convert("1"), "TIFF", tiffinfo=tags, compression="group4"))
    assert (page.width, page.height) == size
    assert (page.raster.mean(axis=2) < 30).mean() == pytest.approx(1 / 8, abs=0.02)
    longer = max(size)
    assert page.raster.shape[:2] == (round(size[1] * 100 / longer), round(size[0] * 100 / longer))


def test_a_ring_of_frames_ends(render: Render) -> None:
    content = bytearray(saved(Image.new("L", (10, 10)), "TIFF"))
    first = int.from_bytes(content[4:8], "little")
    entries = int.from_bytes(content[first : first + 2], "little")
    content[first + 2 + 12 * entries : first + 6 + 12 * entries] = content[4:8]
    assert len(render(bytes(content))) == 1
