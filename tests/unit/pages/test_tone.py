"""Colour, grey or bilevel of pages, as the renderer tells it."""

import io
import random
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter

from shared.domain.detection import Page, Tone, richest_tone
from shared.domain.fit import Fit
from shared.pages.limits import RenderLimits
from shared.pages.renderer import Renderer
from tests.unit.pages.conftest import Render
from tests.unit.pages.making import one_page_pdf, pdf_of_pages, saved, stream

SAMPLES = Path(__file__).parents[3] / "samples" / "documents"
SIZE = (1240, 1754)
BLUE_INK, BLACK_INK = (30, 50, 150), (20, 20, 20)


def letter(ink: tuple[int, int, int] = BLACK_INK, paper: tuple[int, int, int] = (255, 255, 255)) -> Image.Image:
    """A page of black lines of text with a signature in some ink."""
    page = Image.new("RGB", SIZE, paper)
    draw = ImageDraw.Draw(page)
    for line in range(40):
        draw.text((100, 100 + 30 * line), "The lessee shall keep the premises in good repair. " * 2, fill=(10, 10, 10))
    pen = random.Random(1)
    strokes = [(700 + 8 * step, 1500 + pen.randint(-30, 30)) for step in range(30)]
    draw.line(strokes, fill=ink, width=3, joint="curve")
    return page


def scanned(page: Image.Image, mode: str = "RGB") -> Image.Image:
    """As a scanner sees it: soft edges, paper that is nearly white."""
    return page.filter(ImageFilter.GaussianBlur(1)).point(lambda level: round(25 + level * 0.88)).convert(mode)


def bilevel() -> Image.Image:
    return letter().convert("L").point(lambda level: 255 if level > 128 else 0).convert("1")


def tone(render: Render, content: bytes) -> Tone:
    (page,) = render(content, size=1024)
    return page.tone


@pytest.mark.parametrize(
    ("form", "options"), [("JPEG", {"quality": 40}), ("PNG", {}), ("WEBP", {"quality": 60}), ("TIFF", {}), ("PDF", {})]
)
class TestForms:
    def test_a_signature_in_blue_ink_makes_colour(self, render: Render, form: str, options: dict[str, int]) -> None:
        assert tone(render, saved(scanned(letter(BLUE_INK)), form, **options)) is Tone.COLOUR

    def test_grey_stays_grey_also_when_stored_as_colour(
        self, render: Render, form: str, options: dict[str, int]
    ) -> None:
        assert tone(render, saved(scanned(letter(), "L"), form, **options)) is Tone.GREY
        assert tone(render, saved(scanned(letter(), "L").convert("RGB"), form, **options)) is Tone.GREY


@pytest.mark.parametrize(
    ("form", "options"), [("PNG", {}), ("TIFF", {"compression": "group4"}), ("TIFF", {}), ("PDF", {})]
)
def test_one_bit_a_pixel_is_bilevel(render: Render, form: str, options: dict[str, str]) -> None:
    assert tone(render, saved(bilevel(), form, **options)) is Tone.BILEVEL


@pytest.mark.parametrize("mode", ["L", "P", "RGB"])
def test_black_and_white_is_bilevel_however_deep_it_is_stored(render: Render, mode: str) -> None:
    assert tone(render, saved(bilevel().convert(mode), "PNG")) is Tone.BILEVEL


def test_deep_greys_and_yellowed_paper(render: Render) -> None:
    deep = scanned(letter(), "L").convert("I").point(lambda level: level * 257)
    assert tone(render, saved(deep.convert("I;16"), "PNG")) is Tone.GREY
    assert tone(render, saved(letter(paper=(250, 240, 200)), "PNG")) is Tone.COLOUR


def test_a_pdf_that_is_drawn_is_told_by_what_it_draws(render: Render) -> None:
    text = b"BT /F1 9 Tf 20 %d Td (The lessee shall keep the premises in good repair.) Tj ET "
    font = b"/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    lines = b"".join(text % (40 + 12 * line) for line in range(60))
    box = b"0 0 595 842"
    assert tone(render, one_page_pdf(lines, box, font)) is Tone.BILEVEL
    assert tone(render, one_page_pdf(b"0.5 g 0 0 300 842 re f 0 g " + lines, box, font)) is Tone.GREY
    assert tone(render, one_page_pdf(lines + b"0 0 1 RG 3 w 300 60 m 500 90 l S", box, font)) is Tone.COLOUR


def test_a_grey_image_within_a_form_of_a_pdf_is_seen(render: Render) -> None:
    """Thin strokes on clean white paper look like smoothed black and white: what is stored decides."""
    picture = io.BytesIO()
    Image.new("L", (8, 8), 255).save(picture, "JPEG")
    image = stream(
        picture.getvalue(),
        b"/Type/XObject/Subtype/Image/Width 8/Height 8/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/DCTDecode",
    )
    form = stream(
        b"72 0 0 72 0 0 cm /I Do", b"/Type/XObject/Subtype/Form/BBox[0 0 72 72]/Resources<</XObject<</I 6 0 R>>>>"
    )
    page = b"/Resources<</XObject<</X 5 0 R>>>>"
    assert tone(render, one_page_pdf(b"/X Do", page=page, more=[form, image])) is Tone.GREY


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bail-4-pages.pdf", Tone.BILEVEL),
        ("letter-1984.tif", Tone.BILEVEL),
        ("contrat-non-signe.jpg", Tone.GREY),
        ("contrat-fr.jpg", Tone.COLOUR),
        ("contract-en.png", Tone.COLOUR),
    ],
)
def test_the_samples(renderer: Renderer, name: str, expected: Tone) -> None:
    assert {page.tone for page in renderer.pages(SAMPLES / name, Fit(1024, 1024), RenderLimits())} == {expected}


def test_a_blank_page_is_bilevel(render: Render) -> None:
    assert render(pdf_of_pages(1))[0].tone is Tone.BILEVEL


def test_a_document_has_the_tone_of_its_richest_page() -> None:
    def page(one: Tone | None) -> Page:
        return Page(1, 10, 10, (), one)

    assert richest_tone([page(Tone.GREY), page(Tone.BILEVEL)]) is Tone.GREY
    assert richest_tone([page(Tone.BILEVEL), page(Tone.COLOUR), page(Tone.GREY)]) is Tone.COLOUR
    assert richest_tone([page(None)]) is None
