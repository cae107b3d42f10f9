from collections.abc import Callable

import pytest

from shared.domain.errors import DocumentError
from shared.pages.renderer import RenderedPage
from tests.unit.pages.making import one_page_pdf, pdf_of_pages, stream

Render = Callable[..., list[RenderedPage]]
BLACK_TOP_LEFT = b"0 0 0 rg 0 108 36 36 re f"
WHITE, BLUE, HALF_BLUE = [255, 255, 255], [0, 0, 255], [128, 128, 255]
FORM = b"/AcroForm<</Fields[5 0 R]>>"


def with_signature(entries: bytes, catalog: bytes = b"", look: bytes = b"") -> bytes:
    """A page with a signature field of these entries, a blue square at its foot; by default in no form."""
    field = b"<</Type/Annot/Subtype/Widget/Rect[10 10 60 60]/AP<</N 6 0 R>>%s>>" % entries
    square = stream(b"/Look gs 0 0 1 rg 0 0 50 50 re f", b"/Type/XObject/Subtype/Form/BBox[0 0 50 50]%s" % look)
    content = one_page_pdf(page=b"/Annots[5 0 R]", more=[field, square])
    return content.replace(b"<</Type/Catalog", b"<</Type/Catalog" + catalog)


def foot(page: RenderedPage) -> list[int]:
    """The colour where :func:`with_signature` puts the signature."""
    return list(page.raster[75, 25])


def test_pages_measure_what_they_do_at_the_set_resolution(render: Render) -> None:
    (page,) = render(one_page_pdf())
    assert (page.width, page.height) == (200, 400)
    (page,) = render(one_page_pdf(), pdf_dpi=100)
    assert (page.width, page.height) == (100, 200)
    assert page.raster.shape == (100, 50, 3)


@pytest.mark.parametrize("box", [b"0 0 72 144", b"0 0 1440 720", b"0 0 1 5000"])
def test_what_would_be_too_large_is_drawn_as_large_as_may_be(render: Render, box: bytes) -> None:
    (whole,) = render(one_page_pdf(box=box), pdf_dpi=36)
    (page,) = render(one_page_pdf(box=box), pdf_dpi=600, max_page_pixels=300_000)
    assert 150_000 < page.width * page.height <= 300_000
    assert page.raster.shape == whole.raster.shape


def test_a_page_that_could_not_be_read_at_the_largest_size_is_refused_by_the_size_it_has(render: Render) -> None:
    with pytest.raises(DocumentError, match="254 x 508 mm"):
        render(one_page_pdf(box=b"0 0 720 1440"), max_page_pixels=250_000)
    assert len(render(one_page_pdf(box=b"0 0 720 1440"), max_page_pixels=265_000)) == 1


@pytest.mark.parametrize(("turn", "dark"), [(0, (10, 10)), (90, (10, 90)), (180, (90, 40)), (270, (40, 10))])
def test_pages_are_turned_as_displayed(render: Render, turn: int, dark: tuple[int, int]) -> None:
    (page,) = render(one_page_pdf(BLACK_TOP_LEFT, page=b"/Rotate %d" % turn))
    assert (page.width, page.height) == ((200, 400) if turn % 180 == 0 else (400, 200))
    assert page.raster[dark].max() < 30
    assert (page.raster.mean(axis=2) < 30).mean() == pytest.approx(1 / 8, abs=0.02)


def test_the_crop_box_is_the_page(render: Render) -> None:
    (page,) = render(one_page_pdf(BLACK_TOP_LEFT, page=b"/CropBox[0 72 36 144]"))
    assert (page.width, page.height) == (100, 200)


def test_annotations_are_drawn_for_signatures_are_often_such(render: Render) -> None:
    stamp = b"<</Type/Annot/Subtype/Stamp/F 4/Rect[10 10 60 60]/AP<</N 6 0 R>>>>"
    look = stream(b"1 0 0 rg 0 0 50 50 re f", b"/Type/XObject/Subtype/Form/BBox[0 0 50 50]")
    (page,) = render(one_page_pdf(page=b"/Annots[5 0 R]", more=[stamp, look]))
    assert list(page.raster[75, 25]) == [255, 0, 0]


def test_form_fields_are_drawn(render: Render) -> None:
    (page,) = render(with_signature(b"/FT/Sig/T(s)/F 4", FORM))
    assert foot(page) == BLUE


@pytest.mark.parametrize(
    ("entries", "catalog"),
    [
        (b"/FT/Sig/T(s)", b""),
        (b"/FT/Sig/T(s)", b"/AcroForm null"),
        (b"/FT/Sig", FORM),
        (b"/FT/Sig/T()", FORM),
        (b"/T(s)", FORM),
    ],
)
def test_a_field_is_drawn_also_where_its_form_is_lost(render: Render, entries: bytes, catalog: bytes) -> None:
    (page,) = render(with_signature(entries + b"/F 4", catalog))
    assert foot(page) == BLUE


@pytest.mark.parametrize("flag", [2, 32, 36], ids=["hidden", "not on screen", "only in print"])
def test_a_field_that_readers_do_not_show_is_not_drawn_without_its_form_either(render: Render, flag: int) -> None:
    (page,) = render(with_signature(b"/FT/Sig/T(s)/F %d" % flag))
    assert foot(page) == WHITE


@pytest.mark.parametrize("catalog", [b"", FORM], ids=["no form", "form"])
def test_a_field_is_drawn_once(render: Render, catalog: bytes) -> None:
    look = b"/Resources<</ExtGState<</Look<</ca 0.5>>>>>>"
    (page,) = render(with_signature(b"/FT/Sig/T(s)/F 4", catalog, look))
    assert foot(page) == HALF_BLUE


@pytest.mark.parametrize("zeros", [100, 4094, 20_000])
def test_zeros_after_the_end_do_not_matter(render: Render, zeros: int) -> None:
    (page,) = render(one_page_pdf(BLACK_TOP_LEFT) + bytes(zeros))
    assert page.raster[10, 10].max() < 30


def test_zeros_do_not_pass_for_the_end(render: Render) -> None:
    with pytest.raises(DocumentError, match="cut short"):
        render(one_page_pdf(BLACK_TOP_LEFT)[:-40] + bytes(20_000))


def test_pages_come_in_order(render: Render) -> None:
    assert [page.number for page in render(pdf_of_pages(7))] == [1, 2, 3, 4, 5, 6, 7]
