from collections.abc import Callable

import pytest

from shared.pages.renderer import RenderedPage
from tests.unit.pages.making import one_page_pdf, pdf_of_pages, stream

Render = Callable[..., list[RenderedPage]]
BLACK_TOP_LEFT = b"0 0 0 rg 0 108 36 36 re f"


def test_pages_measure_what_they_do_at_the_set_resolution(render: Render) -> None:
    (page,) = render(one_page_pdf())
    assert (page.width, page.height) == (200, 400)
    (page,) = render(one_page_pdf(), pdf_dpi=100)
    assert (page.width, page.height) == (100, 200)
    assert page.raster.shape == (100, 50, 3)


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
    look = stream(b"0 0 1 rg 0 0 50 50 re f", b"/Type/XObject/Subtype/Form/BBox[0 0 50 50]")
    field = b"<</Type/Annot/Subtype/Widget/FT/Sig/T(s)/F 4/Rect[10 10 60 60]/AP<</N 6 0 R>>>>"
    content = one_page_pdf(page=b"/Annots[5 0 R]", more=[field, look])
    with_form = content.replace(
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[5 0 R]>>>>"
    )
    (page,) = render(with_form)
    assert list(page.raster[75, 25]) == [0, 0, 255]


def test_pages_come_in_order(render: Render) -> None:
    assert [page.number for page in render(pdf_of_pages(7))] == [1, 2, 3, 4, 5, 6, 7]
