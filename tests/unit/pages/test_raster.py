from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from shared.domain.fit import ANY, Fit
from shared.pages.raster import scaled
from shared.pages.renderer import RenderedPage
from tests.unit.pages.making import saved, striped

Render = Callable[..., list[RenderedPage]]


def test_fit_keeps_proportions_and_never_vanishes() -> None:
    assert Fit(640, 640).size(2480, 3508) == (452, 640)
    assert Fit(800, ANY).size(1654, 2339) == (800, 1131)
    assert Fit(640, 640).size(1, 100_000) == (1, 640)


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_scaling_averages_so_that_thin_ink_stays(factor: int) -> None:
    page = Image.new("L", (100 * factor, 100 * factor), 255)
    page.paste(0, (0, 50 * factor, 100 * factor, 50 * factor + 1))
    small = np.asarray(scaled(page, (100, 100)))
    lost = (255.0 - small).sum() / 100
    assert lost == pytest.approx(255 / factor, rel=0.25)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "I;16"])
def test_every_mode_comes_out_as_seen(mode: str) -> None:
    grey = striped().convert("L")
    image = grey.convert("I").point(lambda v: v * 257).convert("I;16") if mode == "I;16" else _as_mode(mode)
    small = scaled(image, (60, 100))
    assert small.mode in ("L", "RGB")
    values = np.asarray(small.convert("L"), dtype=int)
    assert values[10, 10] <= 8
    assert values[50, 50] >= 247


def _as_mode(mode: str) -> Image.Image:
    if mode == "LAB":
        return Image.merge("LAB", (striped().convert("L"), *[Image.new("L", (120, 200), 128)] * 2))
    return striped().convert("L").convert(mode) if mode in "IF" else striped().convert(mode)


def test_grey_stays_grey() -> None:
    assert scaled(Image.new("1", (50, 50)), (20, 20)).mode == "L"
    assert scaled(Image.new("L", (50, 50)), (20, 20)).mode == "L"


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.0, 255.0), (0.0, 65535.0), (-5.0, 5.0)])
def test_deep_greys_keep_their_range(low: float, high: float) -> None:
    image = Image.fromarray(np.linspace(low, high, 100 * 100, dtype=np.float32).reshape(100, 100))
    values = np.asarray(scaled(image, (50, 50)), dtype=int)
    assert values.min() <= 5
    assert values.max() >= 250


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_none_do_no_harm(value: float) -> None:
    assert scaled(Image.new("F", (30, 30), value), (10, 10)).size == (10, 10)


def test_transparent_pixels_are_white_paper() -> None:
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 20, 40))
    small = scaled(image, (20, 20))
    assert small.getpixel((2, 10)) == (255, 0, 0)
    assert small.getpixel((17, 10)) == (255, 255, 255)


def test_a_transparent_palette_colour_is_white_paper(render: Callable[..., list[RenderedPage]]) -> None:
    image = Image.new("P", (40, 40), 0)
    image.putpalette([0, 0, 0, 255, 0, 0])
    (page,) = render(saved(image, "PNG", transparency=0))
    assert page.raster.min() == 255


def test_a_transparent_value_of_sixteen_bits_is_white_paper_and_every_other_stays_as_it_is(render: Render) -> None:
    stripes = np.repeat(np.array([40, 90, 200], dtype=np.uint16), 20)
    deep = Image.fromarray(np.tile(257 * stripes, (60, 1)))
    (page,) = render(saved(deep, "PNG", transparency=257 * 90), size=60)
    assert page.raster[30, [10, 30, 50], 0] == pytest.approx([40, 255, 200], abs=1)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_exif_orientation_is_honoured(render: Render, form: str, turn: int) -> None:
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # orientation -> the Transpose that undoes it
    stored = striped() if turn == 1 else striped().transpose(Image.Transpose(turns[turn]))
    exif = Image.Exif()
    exif[0x0112] = turn
    (page,) = render(saved(stored, form, exif=exif))
    assert (page.width, page.height) == (120, 200)
    assert page.raster.shape == (100, 60, 3)
    assert page.raster[5:20, 5:25].mean() < 30
    assert page.raster[5:20, 35:55].mean() > 220
    assert page.raster[92:98, 53:58, 0].mean() > 180 > 90 > page.raster[92:98, 53:58, 1].mean()


def test_broken_exif_is_no_reason_to_refuse(render: Render) -> None:
    (page,) = render(saved(striped(), "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff"))
    assert (page.width, page.height) == (120, 200)


def test_small_pages_are_enlarged(render: Render) -> None:
    (page,) = render(saved(striped(), "PNG"), size=400)
    assert page.raster.shape == (400, 240, 3)


def test_of_an_animation_the_first_picture(render: Render) -> None:
    frames = {"save_all": True, "append_images": [Image.new("RGB", (120, 200), "blue")] * 3}
    for form in ("WEBP", "PNG"):
        pages = render(saved(striped(), form, **frames))
        assert len(pages) == 1
        assert pages[0].raster[60, 30].min() > 240
