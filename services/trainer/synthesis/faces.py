"""Typefaces vendored with the project (see fonts/README.md), opened at a size in pixels."""

from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

_FOLDER = Path(__file__).parent / "fonts"

SERIF, SANS, OFFICE, CYRILLIC = "tinos", "arimo", "carlito", "tinos-cyrillic"
BOOK_FACES = ("tinos", "eb-garamond", "gelasio")
TYPEWRITERS = ("courier-prime", "cutive-mono", "special-elite")
HANDWRITING = (
    "caveat",
    "cedarville-cursive",
    "homemade-apple",
    "la-belle-aurore",
    "nothing-you-could-do",
    "reenie-beanie",
    "shadows-into-light",
    "zeyada",
    "over-the-rainbow",
    "covered-by-your-grace",
    "bad-script",
)
SCRIPTS = ("great-vibes", "allura", "qwigley", "bilbo")


@lru_cache(maxsize=256)
def face(name: str, size: int, bold: bool = False, italic: bool = False) -> ImageFont.FreeTypeFont:
    """Open a vendored face at `size` px; a weight or slope the face lacks falls back to its regular."""
    style = "700-normal" if bold else "400-italic" if italic else "400-normal"
    path = _FOLDER / f"{name}-{style}.ttf"
    if not path.exists():
        path = _FOLDER / f"{name}-400-normal.ttf"
    return ImageFont.truetype(str(path), max(size, 4), layout_engine=ImageFont.Layout.BASIC)


def face_for(text: str, wanted: str) -> str:
    """The wanted face's name, or that of the one with Cyrillic letters when the text needs them."""
    return CYRILLIC if any("\u0400" <= char <= "\u04ff" for char in text) else wanted
