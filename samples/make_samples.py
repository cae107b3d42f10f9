"""Write the sample documents: `python -m samples.make_samples`. Seeded: every run writes the same files.

Names, companies and texts are invented; signatures are drawn by the pen model of services.trainer.synthesis.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from services.trainer.synthesis import wear
from services.trainer.synthesis.desk import Desk
from services.trainer.synthesis.faces import TYPEWRITERS, face
from services.trainer.synthesis.flow import Flow, Style
from services.trainer.synthesis.scanning import skew_matrix, warped
from services.trainer.synthesis.sheet import A4_MM, LETTER_MM, Outline, Pixels, Sheet
from services.trainer.synthesis.wording import Wording

HERE = Path(__file__).parent
DOTS_PER_INCH = 150
Contents = dict[str, Any]


def _desk(size: tuple[float, float], language: str, seed: int, dpi: int = DOTS_PER_INCH) -> Desk:
    rng = np.random.default_rng(seed)
    return Desk(Sheet(size, dpi / 25.4), rng, Wording(language, rng), blue=1.0, legibility=0.8, fineness=1.1)


def _opening(flow: Flow, contents: Contents) -> None:
    flow.heading(contents["title"], 14, centred=True)
    flow.skip()
    for paragraph in contents["between"]:
        flow.paragraph(paragraph)


def _articles(flow: Flow, articles: list[list[str]]) -> None:
    for title, text in articles:
        flow.heading(title, flow.style.body * 1.05, centred=False)
        flow.paragraph(text)


def _party(desk: Desk, flow: Flow, x: float, lines: list[str], signature: tuple[float, float], mention: str) -> None:
    """A party's column: printed names, "Lu et approuvé" by hand, signature of that width and height in mm."""
    for number, line in enumerate(lines):
        desk.sheet.text(x, flow.y + number * flow.line_height(), line, flow.font(bold=number == 0))
    y = flow.y + len(lines) * flow.line_height() + 5
    if mention:
        desk.handwrite(mention, x + 2, y, 2.0, (30, 45, 140))
    desk.sign(x + 30, y + 15, *signature, lines[1])


def _scanned(desk: Desk, degrees: float, noise: float, tint: tuple[int, int, int]) -> tuple[Pixels, int]:
    """A flatbed scan of the sheet and the number of signatures on it."""
    pixels, outlines = desk.sheet.finish()
    pixels = wear.tinted(pixels, tint)
    matrix = skew_matrix(pixels.shape, degrees, 0.995, (3.0, -2.0))
    pixels, outlines = warped(pixels, outlines, matrix, (244, 244, 244))
    soft = wear.blurred(pixels, desk.rng, 0.7)
    return wear.grain(soft, desk.rng, noise), _signatures(outlines)


def _signatures(outlines: list[Outline]) -> int:
    return sum(mark.kind == "signature" for mark in outlines)


def french_contract(texts: Contents) -> tuple[list[Image.Image], int]:
    """One page in colour: two signatures, one under a round blue stamp, mentions by hand."""
    contents, desk = texts["contrat"], _desk(A4_MM, "fr", 204)
    flow = Flow(desk.sheet, Style("tinos", "tinos", 11, 1.25), 24, 187, 24, 285)
    _opening(flow, contents)
    _articles(flow, contents["articles"])
    flow.paragraph(contents["done"])
    flow.skip()
    _party(desk, flow, 26, ["Pour le Client", "Claire Moreau"], (42, 15), "Lu et approuvé")
    _party(desk, flow, 112, ["Pour le Prestataire", "Karim Benali"], (46, 17), "lu et approuvé")
    desk.round_stamp(156, flow.y + 33, 36, (45, 70, 180), "Hexa Conseil SAS")
    pixels, signatures = _scanned(desk, -0.5, 2.0, (252, 251, 248))
    return [Image.fromarray(pixels)], signatures


def english_contract(texts: Contents) -> tuple[list[Image.Image], int]:
    """One page as exported by an office program: two signatures over ruled lines."""
    contents, desk = texts["agreement"], _desk(A4_MM, "en", 202)
    flow = Flow(desk.sheet, Style("carlito", "carlito", 11, 1.3, justified=False), 25, 186, 26, 285)
    _opening(flow, contents)
    _articles(flow, contents["articles"])
    flow.skip()
    flow.paragraph(contents["done"])
    flow.skip(4)
    for x, name, office in ((25.0, "Mary Holloway", "for the Client"), (110.0, "Daniel Vance", "for the Consultant")):
        desk.sheet.text(x, flow.y - 5, "By:", flow.font())
        desk.sheet.line(x + 8, flow.y, x + 72, flow.y)
        desk.sign(x + 38, flow.y - 5, 48, 15, name)
        desk.sheet.text(x + 8, flow.y + 1, f"{name}, {office}", flow.font())
    pixels, outlines = desk.sheet.finish()
    return [Image.fromarray(pixels).quantize(48)], _signatures(outlines)


def unsigned_contract(texts: Contents) -> tuple[list[Image.Image], int]:
    """The French contract before anyone signed it: empty lines, a date stamp."""
    contents, desk = texts["contrat"], _desk(A4_MM, "fr", 31)
    flow = Flow(desk.sheet, Style("arimo", "arimo", 10, 1.3), 24, 187, 26, 285)
    _opening(flow, contents)
    _articles(flow, contents["articles"])
    flow.paragraph(
        "Fait à ................................ le ........................, en deux exemplaires originaux."
    )
    for x, party in ((26.0, "Pour le Client"), (112.0, "Pour le Prestataire")):
        desk.sheet.text(x, flow.y + 4, party, flow.font(bold=True))
        desk.sheet.line(x, flow.y + 34, x + 60, flow.y + 34)
    desk.word_stamp(165, 16, 42)
    pixels, signatures = _scanned(desk, 0.4, 3.0, (250, 250, 250))
    return [Image.fromarray(wear.grey(pixels))], signatures


def lease(texts: Contents) -> tuple[list[Image.Image], int]:
    """Four bilevel pages: initials at the foot of the first three, two signatures and a company stamp on the last."""
    contents, pages, signatures = texts["bail"], [], 0
    articles = contents["articles"]
    for number, part in enumerate((articles[:5], articles[5:9], articles[9:12], articles[12:])):
        desk = _desk(A4_MM, "fr", 203 if number == 3 else 210 + number)
        flow = Flow(desk.sheet, Style("gelasio", "gelasio", 11.5, 1.55, 0.9), 27, 184, 28, 280)
        if number == 0:
            _opening(flow, contents)
        _articles(flow, part)
        if number < 3:
            desk.initial(166, 276, "Philippe Garnier", 9, (20, 20, 24))
            desk.initial(184, 277, "Amandine Roussel", 8, (20, 20, 24))
        else:
            _lease_signatures(desk, flow, contents)
        desk.sheet.text(103, 286, f"{number + 1}/4", flow.font(9))
        pixels, found = _scanned(desk, 0.3 - 0.2 * number, 4.0, (255, 255, 255))
        pages.append(_black_and_white(pixels))
        signatures += found
    return pages, signatures


def _lease_signatures(desk: Desk, flow: Flow, contents: Contents) -> None:
    flow.paragraph(contents["done"])
    flow.skip()
    _party(desk, flow, 28, ["Le Bailleur", "Philippe Garnier"], (44, 20), "Lu et approuvé")
    _party(desk, flow, 112, ["Le Preneur", "Amandine Roussel"], (50, 16), "Lu et approuvé")
    desk.company_stamp(66, flow.y + 50, 52, (60, 60, 70), "Foncière des Lilas SCI")


def typed_letter(texts: Contents) -> tuple[list[Image.Image], int]:
    """An archive scan of a typewritten letter of 1984: bilevel, specks, one signature over the typed name."""
    contents, desk = texts["letter"], _desk(LETTER_MM, "en", 202, dpi=200)
    desk.blue = 0.0
    flow = Flow(desk.sheet, Style(TYPEWRITERS[0], "tinos", 11, 1.2, 1.0, justified=False), 28, 190, 16, 265)
    for size, line in zip((16, 8), contents["head"], strict=True):
        font = face("tinos", desk.sheet.points(size), bold=True)
        desk.sheet.text((215.9 - font.getlength(line) / desk.sheet.scale) / 2, flow.y, line, font)
        flow.skip(1.6)
    for line in ("", contents["date"], "", *contents["to"], "", contents["greeting"], ""):
        flow.line(line)
    for paragraph in contents["body"]:
        flow.paragraph(paragraph)
    flow.line(" " * 34 + contents["closing"])
    flow.skip(3.2)
    desk.sign(132, flow.y - 6, 52, 17, "Thomas Whitfield")
    flow.line(" " * 34 + contents["name"])
    flow.line(" " * 34 + contents["office"])
    pixels, signatures = _scanned(desk, -0.7, 6.0, (255, 255, 255))
    speckled = wear.specks(np.array(_black_and_white(wear.punch_holes(pixels, desk.rng)).convert("L")), desk.rng)
    return [Image.fromarray(speckled).convert("1")], signatures


def _black_and_white(pixels: Pixels) -> Image.Image:
    return Image.fromarray(wear.grey(pixels)).point(lambda level: 255 if level > 170 else 0).convert("1")


Maker = Callable[[Contents], tuple[list[Image.Image], int]]
DOCUMENTS: dict[str, tuple[Maker, dict[str, Any]]] = {
    "contrat-fr.jpg": (french_contract, {"quality": 72, "dpi": (150, 150)}),
    "contract-en.png": (english_contract, {"optimize": True, "dpi": (150, 150)}),
    "contrat-non-signe.jpg": (unsigned_contract, {"quality": 60, "dpi": (150, 150)}),
    "bail-4-pages.pdf": (lease, {"resolution": 150.0}),
    "letter-1984.tif": (typed_letter, {"compression": "group4", "dpi": (200, 200)}),
}
FIXED_PDF_DATES = {name: time.struct_time((2024, 1, 1, 0, 0, 0, 0, 1, 0)) for name in ("creationDate", "modDate")}


def write_samples(folder: Path) -> dict[str, dict[str, int]]:
    """Write every document and expected.json into `folder`; returns pages and signatures by file name."""
    folder.mkdir(parents=True, exist_ok=True)
    texts: Contents = json.loads((HERE / "contents.json").read_text(encoding="utf-8"))
    expected = {}
    for name, (make, options) in DOCUMENTS.items():
        pages, signatures = make(texts)
        if name.endswith(".pdf"):
            options = {**options, **FIXED_PDF_DATES, "save_all": True, "append_images": pages[1:]}
        pages[0].save(folder / name, **options)
        expected[name] = {"pages": len(pages), "signatures": signatures}
    (folder / "expected.json").write_text(json.dumps(expected, indent=2) + "\n", encoding="utf-8")
    return expected


if __name__ == "__main__":
    for file, counts in write_samples(HERE / "documents").items():
        print(f"{file}: {counts['pages']} page(s), {counts['signatures']} signature(s)")
