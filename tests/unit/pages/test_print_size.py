"""Pages in small print are rendered larger, where that is asked for: whatever their file, pixels and way up."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from shared.domain.fit import Fit
from shared.pages.limits import RenderLimits
from shared.pages.print_size import has_small_print
from shared.pages.renderer import RenderedPage, Renderer
from tests.unit.pages.making import saved

UPRIGHT, WIDE = (1018, 1440), (1440, 1018)
SMALL, LARGE = 9, 30
"""Sizes of letters in pixels, on pages of those sizes; usual print, of 11 points on A4, has 19."""
USUAL, MORE = 640, 896


@lru_cache
def page_of(size: tuple[int, int], letters: int) -> Image.Image:
    page = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(letters)
    for top in range(40, size[1] - 60, round(letters * 1.6)):
        draw.text((60, top), "Le présent contrat est conclu pour une durée de douze mois. " * 8, "black", font)
    draw.rectangle((size[0] - 60, 0, size[0], size[1]), fill="white")
    return page


def printed(size: tuple[int, int], letters: int) -> Image.Image:
    return page_of(size, letters).copy()


@pytest.mark.parametrize("size", [UPRIGHT, WIDE], ids=["upright", "wide"])
def test_print_is_small_or_large_whatever_the_pixels_it_was_scanned_with(size: tuple[int, int]) -> None:
    for share in (1.0, 0.71, 0.45):
        scanned = round(size[0] * share), round(size[1] * share)
        assert has_small_print(printed(size, SMALL).resize(scanned, Image.Resampling.HAMMING))
        assert not has_small_print(printed(size, LARGE).resize(scanned, Image.Resampling.HAMMING))


def test_print_of_the_usual_size_is_not_small() -> None:
    assert not has_small_print(printed(UPRIGHT, 19))


def test_a_black_and_white_page_is_told_as_the_same_in_colour() -> None:
    assert has_small_print(printed(UPRIGHT, SMALL).convert("L"))
    assert not has_small_print(printed(UPRIGHT, LARGE).convert("L"))


def test_neither_dust_nor_rules_change_the_size_of_print() -> None:
    small, large = printed(UPRIGHT, SMALL), printed(UPRIGHT, LARGE)
    for place in range(0, 1000, 6):
        ImageDraw.Draw(small).line((place, 0, place, 1440 if place % 240 == 0 else 0), "black", 3)
        ImageDraw.Draw(large).point([(place, row) for row in range(0, 1440, 9)], "black")
    assert has_small_print(small)
    assert not has_small_print(large)


def test_where_there_is_no_print_it_is_not_small() -> None:
    for size in (UPRIGHT, WIDE, (1440, 1), (1, 1440), (1, 1)):
        assert not has_small_print(Image.new("RGB", size, "white"))
        assert not has_small_print(Image.new("L", size, "black"))


def as_jpeg(image: Image.Image) -> bytes:
    return saved(image, "JPEG", quality=90)


def as_sideways_jpeg(image: Image.Image) -> bytes:
    """Stored lying on its side, with the word to turn it upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(image.transpose(Image.Transpose.ROTATE_90), "JPEG", quality=90, exif=exif)


def as_png(image: Image.Image) -> bytes:
    return saved(image, "PNG")


def as_fax(image: Image.Image) -> bytes:
    return saved(image.convert("1"), "TIFF", compression="group4")


def as_pdf(image: Image.Image) -> bytes:
    return saved(image, "PDF", resolution=1440 / 11.69)


def rendered(renderer: Renderer, path: Path, content: bytes, fit: Fit) -> RenderedPage:
    path.write_bytes(content)
    (page,) = renderer.pages(path, fit, RenderLimits())
    return page


@pytest.mark.parametrize("stored", [as_jpeg, as_sideways_jpeg, as_png, as_fax, as_pdf])
def test_a_page_in_small_print_is_rendered_as_large_as_is_asked_for_that(
    renderer: Renderer, tmp_path: Path, stored: Callable[[Image.Image], bytes]
) -> None:
    fit = Fit(USUAL, USUAL, small_print=MORE)
    for size in (UPRIGHT, WIDE):
        small = rendered(renderer, tmp_path / "small", stored(printed(size, SMALL)), fit)
        large = rendered(renderer, tmp_path / "large", stored(printed(size, LARGE)), fit)
        assert (small.small_print, max(small.raster.shape[:2])) == (True, MORE)
        assert (large.small_print, max(large.raster.shape[:2])) == (False, USUAL)
        assert (small.width > small.height) == (size == WIDE)


@pytest.mark.parametrize("stored", [as_jpeg, as_png, as_fax, as_pdf])
def test_a_larger_raster_is_as_sharp_as_if_it_were_the_only_one(
    renderer: Renderer, tmp_path: Path, stored: Callable[[Image.Image], bytes]
) -> None:
    content = stored(printed((2036, 2880), 2 * SMALL))
    twice = rendered(renderer, tmp_path / "page", content, Fit(USUAL, USUAL, small_print=MORE))
    once = rendered(renderer, tmp_path / "page", content, Fit(MORE, MORE))
    assert (twice.raster == once.raster).all()


def test_print_counts_only_where_more_is_asked_for(renderer: Renderer, tmp_path: Path) -> None:
    content = as_png(printed(UPRIGHT, SMALL))
    for fit in (Fit(USUAL, USUAL), Fit(USUAL, USUAL, small_print=USUAL)):
        page = rendered(renderer, tmp_path / "page", content, fit)
        assert (page.small_print, max(page.raster.shape)) == (False, USUAL)
