"""Pieces every kind of document is laid out from: letterheads, emblems, footers, bodies, closing formulas."""

import numpy as np
from PIL import Image, ImageDraw

from services.trainer.synthesis import lookalikes
from services.trainer.synthesis.desk import Desk
from services.trainer.synthesis.faces import BOOK_FACES, CYRILLIC, OFFICE, SANS, SCRIPTS, SERIF, TYPEWRITERS, face
from services.trainer.synthesis.flow import Flow, Style
from services.trainer.synthesis.ink import pen_colour
from services.trainer.synthesis.ornaments import brand_colour, emblem

Rng = np.random.Generator


def office_style(rng: Rng, language: str) -> Style:
    """As a word processor sets it."""
    if language == "ru":
        return Style(CYRILLIC, CYRILLIC, rng.uniform(10.5, 12.5), 1.15 + rng.uniform(0, 0.35), 0.4, rng.random() < 0.7)
    name = str(rng.choice([SERIF, SANS, OFFICE, *BOOK_FACES], p=[0.25, 0.25, 0.2, 0.1, 0.1, 0.1]))
    heading = name if rng.random() < 0.8 else SANS
    return Style(
        name, heading, rng.uniform(8.5, 12.0), rng.uniform(1.15, 1.6), rng.uniform(0.2, 1.0), rng.random() < 0.6
    )


def typewriter_style(rng: Rng) -> Style:
    """As a typewriter or an early printer sets it."""
    name = str(rng.choice([*TYPEWRITERS, SERIF, SANS], p=[0.3, 0.25, 0.15, 0.2, 0.1]))
    return Style(name, name, rng.uniform(9.5, 12.0), rng.uniform(1.1, 1.5), rng.uniform(0.5, 1.2), rng.random() < 0.15)


def flow_on(desk: Desk, style: Style, top: float | None = None) -> Flow:
    """A text column with random but plausible margins."""
    rng, (wide, high) = desk.rng, desk.sheet.size_mm
    left, right = rng.uniform(14, 32), wide - rng.uniform(14, 28)
    return Flow(desk.sheet, style, left, right, top or rng.uniform(14, 30), high - rng.uniform(14, 26))


def letterhead(desk: Desk, flow: Flow) -> None:
    """Company name, address and emblem at the top, in one of a few usual arrangements."""
    rng, sheet, words = desk.rng, desk.sheet, desk.words
    colour = brand_colour(desk)
    script = rng.random() < 0.15 and words.language != "ru"
    name_face = str(rng.choice(SCRIPTS)) if script else flow.style.heading_face
    big = face(name_face, sheet.points(rng.uniform(13, 24)), bold=True)
    small = face(flow.style.face, sheet.points(rng.uniform(6.5, 8.5)))
    company, top = words.company(), flow.y - 4
    company = company if script or rng.random() < 0.5 else company.upper()
    centred = rng.random() < 0.4
    width = big.getlength(company) / sheet.scale
    x = flow.left + (flow.width - width) / 2 if centred else flow.left
    if rng.random() < 0.6:
        size = rng.uniform(10, 22)
        emblem(desk, x if not centred else flow.left - 4, top, size * (0.6 if centred else 1.0), colour)
        x += 0 if centred else size * 1.5 + 3
    sheet.text(x, top, company, big, colour)
    for number in range(int(rng.integers(1, 4))):
        line = (words.address(), f"{words.number(10)}  -  {words.pick('form')}", words.address())[number]
        sheet.text(x, top + 9 + 3.4 * number, line, small, colour)
    if rng.random() < 0.4:
        sheet.line(flow.left, top + 21, flow.right, top + 21, rng.uniform(0.2, 0.8), colour)
    flow.y = top + 26


def footer(desk: Desk, flow: Flow) -> None:
    """Page number, or the company's legal line, or both."""
    rng, sheet, words = desk.rng, desk.sheet, desk.words
    small = face(flow.style.face, sheet.points(rng.uniform(6, 8.5)))
    y = sheet.size_mm[1] - rng.uniform(8, 13)
    if rng.random() < 0.5:
        page = (
            f"{int(rng.integers(1, 20))}"
            if rng.random() < 0.6
            else f"Page {int(rng.integers(1, 9))}/{int(rng.integers(9, 20))}"
        )
        sheet.text(flow.right - 15 if rng.random() < 0.5 else sheet.size_mm[0] / 2, y, page, small)
    if rng.random() < 0.35:
        sheet.text(flow.left, y - 1, f"{words.company()} - {words.address()} - {words.number(9)}", small)


def address_block(desk: Desk, flow: Flow, x: float) -> None:
    """Name, company and street of whom the letter goes to, from x on."""
    words = desk.words
    for line in (words.name(), words.company(), words.address())[: int(desk.rng.integers(2, 4))]:
        flow.sheet.text(x, flow.y, line, flow.font())
        flow.skip()
    flow.skip(0.8)


def articles(desk: Desk, flow: Flow, room: float) -> None:
    """Numbered articles until `room` mm above the bottom are left."""
    rng, words = desk.rng, desk.words
    number = int(rng.integers(1, 12))
    label = {"fr": "Article", "en": "Section", "ru": ""}[words.language] if rng.random() < 0.7 else ""
    upper, underlined = rng.random() < 0.3, rng.random() < 0.25
    indent = rng.uniform(4, 12)
    while flow.y < flow.bottom - room - 3 * flow.line_height():
        if rng.random() < 0.7:
            title = f"{label} {number} - {words.pick('heading')}".strip(" -")
            flow.heading(
                title.upper() if upper else title, flow.style.body * 1.08, centred=False, underlined=underlined
            )
            number += 1
        for _ in range(int(rng.integers(1, 4))):
            if flow.y > flow.bottom - room - flow.line_height():
                break
            _body_piece(desk, flow, indent)


def _body_piece(desk: Desk, flow: Flow, indent: float) -> None:
    rng, words = desk.rng, desk.words
    if rng.random() < 0.15:
        for _ in range(int(rng.integers(2, 5))):
            flow.paragraph(f"- {words.pick('sentence')}", indent=indent)
    else:
        flow.paragraph(words.paragraph(int(rng.integers(1, 5))))


def body_text(desk: Desk, flow: Flow, paragraphs: int, room: float) -> None:
    """Letter paragraphs, stopping `room` mm above the bottom."""
    indent = desk.rng.random() < 0.3
    for _ in range(paragraphs):
        if flow.y > flow.bottom - room:
            return
        text = desk.words.paragraph(int(desk.rng.integers(2, 5)))
        flow.paragraph(("\u2003\u2003" if indent else "") + text)


def goods_table(desk: Desk, flow: Flow, rows: int) -> None:
    """A priced list with its head and total."""
    rng, words = desk.rng, desk.words
    columns = int(rng.integers(3, 6))
    head = [words.pick("columns") for _ in range(columns)]
    lines = [[words.pick("goods"), *(words.amount() for _ in range(columns - 1))] for _ in range(rows)]
    flow.table([head, *lines], [2.2, *([1.0] * (columns - 1))], rng.uniform(0.4, 1.2), boxed=rng.random() < 0.75)


def done_at(desk: Desk, flow: Flow) -> None:
    """ "Fait à …, le …": printed whole, or with blanks filled in by hand."""
    rng, words = desk.rng, desk.words
    if rng.random() < 0.6:
        flow.paragraph(words.pick("done"))
        return
    if words.language == "fr":
        flow.line("Fait à ....................................... le ..............................")
    else:
        flow.line("Place ...................................... Date .............................")
    if rng.random() < 0.75:
        desk.handwrite(words.pick("city"), flow.left + 14, flow.y - 3.5, rng.uniform(1.8, 2.8))
        desk.handwrite(words.short_date(), flow.left + rng.uniform(62, 75), flow.y - 3.5, rng.uniform(1.8, 2.8))
    flow.skip()


def scribbled_notes(desk: Desk, count: int) -> None:
    """Notes, ticks, rings and underlines by pen, in the margins and on the print: no signature among them."""
    rng, (wide, high) = desk.rng, desk.sheet.size_mm
    for _ in range(count):
        x, y = rng.uniform(6, wide - 60), rng.uniform(8, high - 15)
        kind = rng.random()
        if kind < 0.3:
            desk.pen_mark(x, y, rng.uniform(5, 60))
            continue
        if kind < 0.5:
            lookalikes.ringed_word(desk, x, y)
            continue
        if kind < 0.6:
            lookalikes.ring(desk, x + 20, y, rng.uniform(12, 60), rng.uniform(6, 16))
            continue
        size = rng.uniform(1.8, 4.2)
        for row in range(int(rng.integers(1, 4)) if rng.random() < 0.35 else 1):
            desk.handwrite(desk.words.pick("note"), x, min(high - 8, y + 3 * size * row), size)


def signed_note(desk: Desk) -> None:
    """A note to a colleague, mostly under a finished letter, with the writer's short signature and perhaps the date."""
    rng, words, (wide, high) = desk.rng, desk.words, desk.sheet.size_mm
    x, size = rng.uniform(8, wide - 75), rng.uniform(2.0, 3.6)
    y = rng.uniform(0.6, 0.88) * high if rng.random() < 0.75 else rng.uniform(20, high - 35)
    pen = pen_colour(rng, desk.blue)
    for _ in range(int(rng.integers(0, 4))):
        desk.handwrite(words.pick("note"), x + rng.uniform(0, 6), y, size, pen)
        y += size * rng.uniform(2.6, 3.4)
    height = rng.uniform(6, 15)
    x, y = x + rng.uniform(5, 40), y + height * 0.4
    desk.sign_briefly(x, y, words.name(), height, pen)
    if rng.random() < 0.6:
        below = rng.random() < 0.5
        at = (x - 4, y + height * 0.6) if below else (x + height * rng.uniform(0.5, 1.0), y + rng.uniform(0, 2))
        desk.handwrite(words.short_date()[: int(rng.choice([4, 5, 8]))], *at, size * rng.uniform(0.7, 1.0), pen)


def archive_numbers(desk: Desk) -> None:
    """The production number stamped on every page of a litigation archive, upright or along an edge."""
    rng, sheet, (wide, high) = desk.rng, desk.sheet, desk.sheet.size_mm
    number = desk.words.number(int(rng.integers(7, 11)))
    font = face(str(rng.choice([SERIF, SANS, *TYPEWRITERS])), sheet.points(rng.uniform(9, 15)), bold=True)
    if rng.random() < 0.45:
        sheet.text(wide - rng.uniform(30, 60), high - rng.uniform(8, 22), number, font)
        return
    tile = Image.new("RGB", (round(font.getlength(number)) + 4, round(font.size * 1.3)), sheet.paper)
    ImageDraw.Draw(tile).text((2, 0), number, font=font, fill=sheet.print_colour)
    place = (sheet.px(wide - rng.uniform(6, 14)), sheet.px(rng.uniform(0.5, 0.85) * high))
    sheet.image.paste(tile.rotate(90 if rng.random() < 0.7 else -90, expand=True), place)
