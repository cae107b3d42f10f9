"""Whether a page's print is so small that more pixels show more of it. Runs only inside a renderer child.

Told by how high its strokes are: of small print most ink lies in runs of few pixels from top to bottom. A sheet that
shows two papers has small print, a photograph of nothing but a signature and the words around it large print.
"""

from collections.abc import Callable

from PIL import Image, ImageChops

from shared.domain.fit import Fit
from shared.pages.ink import darkness

# Runs no longer than this share of the page's longer side hold at least that share of the ink of small print. A wide
# sheet is more likely to show two papers, an upright one is mostly one, which may be in small print itself.
_WIDE, _UPRIGHT = (9.5 / 1440, 0.85), (8.5 / 1440, 0.9)
_SPECK, _LINE = 1.5 / 1440, 60 / 1440  # runs between them are print, not dust, rules down a table or shadows
_FEWEST = 100  # pixels of print to tell by

_AROUND, _DARKER = 8 / 1440, 20  # ink is darker than what lies so far around, by some grey levels
_EVERY = 6  # columns of pixels are enough
_FINE = 2048  # px of the longer side, about, in which runs are measured: they end between two pixels


def legible(draw: Callable[[Fit], Image.Image], fit: Fit) -> tuple[Image.Image, bool]:
    """A page as drawn to fill ``fit``, or what that asks of small print, if it has that; and whether it has."""
    page = draw(fit)
    if fit.for_small_print == fit or not has_small_print(page):
        return page, False
    return draw(fit.for_small_print), True


def has_small_print(page: Image.Image) -> bool:
    """Whether most ink of a page, mode L or RGB, lies in runs as short as small print's.

    A page with hardly any ink to tell by has none.
    """
    finer = max(1, round(_FINE / max(page.size)))
    ink = _ink(page, finer)
    small, most = _WIDE if page.width > page.height else _UPRIGHT
    marks, large, lines = (
        _in_longer_runs(ink, round(share * max(page.size) * finer)) for share in (_SPECK, small, _LINE)
    )
    return marks - lines >= _FEWEST * finer and marks - large >= most * (marks - lines)


def _ink(page: Image.Image, finer: int) -> Image.Image:
    """Where ink is, 255 or 0, in some columns of the page, so many times as high."""
    green = page.getchannel("G") if page.mode == "RGB" else page
    columns = green.resize((max(1, page.width // _EVERY), page.height), Image.Resampling.NEAREST)
    around = _AROUND * max(page.size)
    fine = darkness(columns, (around / _EVERY, around)).resize(
        (columns.width, columns.height * finer), Image.Resampling.BILINEAR
    )
    return fine.point(lambda level: 255 * (level > _DARKER))


def _in_longer_runs(ink: Image.Image, pixels: int) -> int:
    """How many pixels of ink lie in runs from top to bottom of more than so many.

    Of a longer run its length less ``pixels`` is left when it is shortened by them, and one less if by one more: the
    difference counts such runs.
    """
    shortened = _shortened(ink, pixels)
    left = _count(shortened)
    return left + pixels * (left - _count(_shortened(shortened, 1)))


def _shortened(ink: Image.Image, pixels: int) -> Image.Image:
    """Every run of ink shortened by so many pixels, from below."""
    done = 0
    while done < pixels:
        step = min(done + 1, pixels - done)
        ink = ImageChops.darker(ink, ink.crop((0, step, ink.width, ink.height + step)))
        done += step
    return ink


def _count(ink: Image.Image) -> int:
    return ink.histogram()[255]
