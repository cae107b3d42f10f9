"""The kinds of business paper: each function lays out one page on a desk, signed or not."""

from collections.abc import Callable

import numpy as np

from services.trainer.synthesis import layouts
from services.trainer.synthesis.desk import Desk
from services.trainer.synthesis.faces import SCRIPTS, face
from services.trainer.synthesis.flow import Flow, Style
from services.trainer.synthesis.signing import (
    WAYS_TO_SIGN,
    close_letter,
    initials_at_foot,
    party_columns,
    signature_lines,
    signature_size,
    signing_grid,
    stamp_near,
)

Document = Callable[[Desk, bool], None]


def contract(desk: Desk, signed: bool) -> None:
    """The last page of a contract when signed, else an inner page with initials or an unsigned signature block."""
    rng = desk.rng
    flow = layouts.flow_on(desk, layouts.office_style(rng, desk.words.language))
    if rng.random() < 0.35:
        layouts.letterhead(desk, flow)
    if rng.random() < 0.5:
        flow.heading(desk.words.pick("title"), rng.uniform(12, 16), centred=True, underlined=rng.random() < 0.3)
    last_page = signed or rng.random() < 0.35
    layouts.articles(desk, flow, rng.uniform(65, 150) if last_page else 2)
    if last_page:
        layouts.done_at(desk, flow)
        way = WAYS_TO_SIGN[int(rng.choice(3, p=[0.6, 0.3, 0.1]))]
        way(desk, flow, int(rng.integers(1, 4)), 0.85 if signed else 0.0)
    if rng.random() < (0.2 if signed else 0.55):
        initials_at_foot(desk, int(rng.integers(1, 4)))
    layouts.footer(desk, flow)


def statutes(desk: Desk, signed: bool) -> None:
    """French company statutes: dense articles, initials at every foot, a large free signature on the last page."""
    rng, words = desk.rng, desk.words
    flow = layouts.flow_on(desk, layouts.office_style(rng, words.language))
    if rng.random() < 0.3 and not signed:
        flow.y += 70
        for line in (words.company(), words.address(), words.pick("statutes")):
            flow.heading(line, rng.uniform(11, 16), centred=True)
    elif rng.random() < 0.4:
        flow.heading(words.pick("statutes"), rng.uniform(11, 14), centred=True, underlined=rng.random() < 0.5)
    layouts.articles(desk, flow, rng.uniform(60, 190) if signed else rng.choice([2, 2, 60, 120]))
    if signed:
        _sign_freely(desk, flow)
    if rng.random() < (0.25 if signed else 0.75):
        initials_at_foot(desk, int(rng.integers(1, 4)))
    layouts.footer(desk, flow)


def _sign_freely(desk: Desk, flow: Flow) -> None:
    """A signature without a line of its own, large, over or under "Associé / Gérant", mention by hand above."""
    rng, words = desk.rng, desk.words
    layouts.done_at(desk, flow)
    for _ in range(int(rng.integers(1, 3))):
        x = flow.left + flow.width * rng.uniform(0.0, 0.55)
        flow.sheet.text(x, flow.y, words.pick("office"), flow.font())
        flow.skip()
        if rng.random() < 0.4:
            desk.handwrite(words.pick("mention"), x + rng.normal(0, 5), flow.y + 3, rng.uniform(1.6, 3.0))
            flow.skip(1.2)
        width, height = rng.uniform(30, 75), rng.uniform(12, 38)
        desk.sign(x + width / 2, flow.y + height * rng.uniform(0.35, 0.6), width, height)
        stamp_near(desk, x + width / 2, flow.y + height / 2, 0.25)
        flow.y += height * rng.uniform(0.7, 1.1)


def letter(desk: Desk, signed: bool) -> None:
    """A business letter, letterhead to typed name."""
    rng = desk.rng
    flow = layouts.flow_on(desk, layouts.office_style(rng, desk.words.language))
    _letter_on(desk, flow, signed)


def archive_letter(desk: Desk, signed: bool) -> None:
    """A typewritten letter of the 1960s to 1990s, as in litigation archives."""
    rng = desk.rng
    flow = layouts.flow_on(desk, layouts.typewriter_style(rng))
    _letter_on(desk, flow, signed)
    flow.y = min(flow.y, flow.bottom)
    for line in ("cc: " + desk.words.name(), desk.words.name()[0] + "/" + desk.words.name()[0].lower())[: int(rng.integers(0, 3))]:
        flow.line(line)
    if rng.random() < 0.3:
        layouts.scribbled_notes(desk, int(rng.integers(1, 4)))


def _letter_on(desk: Desk, flow: Flow, signed: bool) -> None:
    rng, words = desk.rng, desk.words
    if rng.random() < 0.8:
        layouts.letterhead(desk, flow)
    flow.line(words.date(), align=str(rng.choice(["left", "right", "centre"])))
    flow.skip(rng.uniform(0.5, 2))
    layouts.address_block(desk, flow, flow.left if words.language == "en" else flow.left + flow.width * 0.55)
    flow.line(words.pick("greeting"))
    flow.skip(0.5)
    layouts.body_text(desk, flow, int(rng.integers(1, 6)), 75)
    close_letter(desk, flow, signed)
    if rng.random() < 0.3:
        layouts.footer(desk, flow)


def memo(desk: Desk, signed: bool) -> None:
    """TO / FROM / SUBJECT with a body; signed or initialled by hand beside the sender, notes scribbled on it."""
    rng, words = desk.rng, desk.words
    flow = layouts.flow_on(desk, layouts.typewriter_style(rng) if rng.random() < 0.6 else layouts.office_style(rng, words.language))
    if rng.random() < 0.5:
        layouts.letterhead(desk, flow)
    for label in ("TO:", "FROM:", "CC:", "DATE:", "SUBJECT:"):
        value = words.date() if label == "DATE:" else words.pick("heading") if label == "SUBJECT:" else words.name()
        flow.sheet.text(flow.left, flow.y, label, flow.font(bold=True))
        flow.sheet.text(flow.left + 28, flow.y, value, flow.font())
        if label == "FROM:" and rng.random() < 0.4:
            desk.initial(flow.left + rng.uniform(70, 90), flow.y + 1, value, rng.uniform(5, 10))
        flow.skip(1.4)
    flow.sheet.line(flow.left, flow.y, flow.right, flow.y, 0.4)
    flow.skip()
    layouts.body_text(desk, flow, int(rng.integers(1, 6)), 60)
    if signed:
        width, height = signature_size(desk)
        desk.sign(flow.left + flow.width * rng.uniform(0.3, 0.8), flow.y + height / 2 + 2, width, height)
    if rng.random() < 0.5:
        layouts.scribbled_notes(desk, int(rng.integers(1, 5)))


def lease_form(desk: Desk, signed: bool) -> None:
    """A numbered government form whose foot is a grid filled in by hand."""
    rng, words = desk.rng, desk.words
    style = Style(str(rng.choice(["arimo", "carlito", "tinos"])), "arimo", rng.uniform(8, 10), 1.15, 0.5)
    flow = layouts.flow_on(desk, style)
    flow.heading(words.pick("title"), 12, centred=True)
    flow.table([[words.pick("fields").upper(), words.pick("fields").upper(), words.pick("fields").upper()]], [1, 1, 1])
    if rng.random() < 0.6:
        desk.handwrite(words.short_date(), flow.right - 40, flow.y - 5, 2.2)
    layouts.articles(desk, flow, rng.uniform(55, 110) if signed else 20)
    if rng.random() < 0.3:
        layouts.goods_table(desk, flow, int(rng.integers(2, 5)))
    if signed:
        signing_grid(desk, flow, int(rng.integers(1, 4)), 0.9)
    else:
        initials_at_foot(desk, int(rng.integers(0, 3)))
    layouts.footer(desk, flow)


def mandate(desk: Desk, signed: bool) -> None:
    """A form of ruled fields and one-character boxes (SEPA mandate, registration), signature box at its foot."""
    rng, words = desk.rng, desk.words
    flow = layouts.flow_on(desk, layouts.office_style(rng, words.language))
    flow.heading(words.pick("title"), rng.uniform(12, 16), centred=rng.random() < 0.5)
    flow.paragraph(words.paragraph(2))
    by_hand = rng.random() < 0.5
    for _ in range(int(rng.integers(5, 12))):
        _field(desk, flow, by_hand)
    for _ in range(int(rng.integers(0, 4))):
        _tick_box(desk, flow)
    layouts.done_at(desk, flow)
    left = flow.left + flow.width * rng.uniform(0.0, 0.45)
    flow.sheet.text(left, flow.y, words.pick("signhere"), flow.font())
    depth = rng.uniform(18, 32)
    if rng.random() < 0.6:
        flow.sheet.box(left, flow.y + 5, left + 80, flow.y + 5 + depth)
    if signed:
        width, height = signature_size(desk)
        desk.sign(left + 40 + rng.normal(0, 8), flow.y + 5 + depth / 2, width, height)
        stamp_near(desk, left + 40, flow.y + 5 + depth / 2, 0.2)


def _field(desk: Desk, flow: Flow, by_hand: bool) -> None:
    rng, words = desk.rng, desk.words
    label = f"{words.pick('fields')} :"
    flow.sheet.text(flow.left, flow.y, label, flow.font())
    x = flow.left + flow.font().getlength(label) / flow.sheet.scale + 2
    value = str(rng.choice([words.name(), words.address(), words.number(12), words.short_date()]))
    if rng.random() < 0.25:
        for cell in range(int(min(14, (flow.right - x) // 5))):
            flow.sheet.box(x + 5 * cell, flow.y - 0.5, x + 5 * cell + 5, flow.y + 5)
            if by_hand and rng.random() < 0.9:
                desk.handwrite(words.number(1), x + 5 * cell + 1.5, flow.y + 2.3, 1.6)
    else:
        flow.sheet.line(x, flow.y + 4, flow.right, flow.y + 4, 0.15)
        if by_hand:
            desk.handwrite(value, x + rng.uniform(2, 12), flow.y + 2, rng.uniform(1.6, 2.4))
        elif rng.random() < 0.7:
            flow.sheet.text(x + 3, flow.y, value, flow.font())
    flow.y += rng.uniform(7, 9.5)


def _tick_box(desk: Desk, flow: Flow) -> None:
    """A box to tick: empty, ticked or crossed out by hand."""
    rng = desk.rng
    flow.sheet.box(flow.left, flow.y, flow.left + 3.5, flow.y + 3.5)
    flow.sheet.text(flow.left + 6, flow.y, desk.words.pick("sentence")[:80], flow.font())
    if rng.random() < 0.5:
        desk.handwrite(str(rng.choice(["x", "X", "v", "V"])), flow.left + 0.3, flow.y + 1.5, rng.uniform(2.0, 3.5))
    flow.skip(1.5)


def order_form(desk: Desk, signed: bool) -> None:
    """A quotation, order or invoice: table of goods, totals, "Bon pour accord" with stamp and signature."""
    rng, words = desk.rng, desk.words
    flow = layouts.flow_on(desk, layouts.office_style(rng, words.language))
    layouts.letterhead(desk, flow)
    layouts.address_block(desk, flow, flow.left + flow.width * 0.55)
    flow.heading(f"{words.pick('title')} {words.number(6)}", 12, centred=False)
    layouts.goods_table(desk, flow, int(rng.integers(3, 14)))
    flow.line(f"Total : {words.amount()}", bold=True, align="right")
    flow.paragraph(words.paragraph(2))
    if flow.y < flow.bottom - 45:
        party_columns(desk, flow, int(rng.integers(1, 3)), 0.9 if signed else 0.0)
    if not signed and rng.random() < 0.4:
        desk.word_stamp(rng.uniform(50, 160), rng.uniform(60, 230), rng.uniform(30, 60))
    layouts.footer(desk, flow)


def report(desk: Desk, signed: bool) -> None:
    """Pages nobody signs: reports, references, tables, columns of names."""
    rng, words = desk.rng, desk.words
    style = layouts.typewriter_style(rng) if rng.random() < 0.5 else layouts.office_style(rng, words.language)
    flow = layouts.flow_on(desk, style)
    flow.heading(words.pick("statutes"), rng.uniform(11, 15), centred=rng.random() < 0.6)
    while not flow.full:
        kind = rng.random()
        if kind < 0.5:
            flow.paragraph(words.paragraph(int(rng.integers(1, 6))))
        elif kind < 0.75:
            layouts.goods_table(desk, flow, int(rng.integers(3, 15)))
        else:
            for _ in range(int(rng.integers(3, 10))):
                flow.line(f"{words.name()}  {words.short_date()}  {words.amount()}")
    if rng.random() < 0.35:
        layouts.scribbled_notes(desk, int(rng.integers(1, 5)))
    if rng.random() < 0.3:
        desk.word_stamp(rng.uniform(40, 170), rng.uniform(30, 250), rng.uniform(30, 65))
    layouts.footer(desk, flow)


def grant_agreement(desk: Desk, signed: bool) -> None:
    """A colour agreement of a public funder: flags and emblems, article text, two signature columns with stamps."""
    rng, words = desk.rng, desk.words
    flow = layouts.flow_on(desk, layouts.office_style(rng, words.language), top=14)
    colour = layouts.brand_colour(desk, 1.0)
    layouts.emblem(desk, flow.left, flow.y, rng.uniform(12, 22), colour)
    if rng.random() < 0.6:
        layouts.emblem(desk, flow.right - 22, flow.y, rng.uniform(12, 20), layouts.brand_colour(desk, 1.0))
    flow.y += 26
    if rng.random() < 0.5:
        flow.sheet.box(0, flow.y - 1, flow.sheet.size_mm[0], flow.y + 6, 0, fill=colour)
        flow.y += 10
    flow.heading(words.pick("title"), rng.uniform(12, 18), centred=rng.random() < 0.6)
    layouts.articles(desk, flow, rng.uniform(70, 150) if signed else 2)
    if signed:
        layouts.done_at(desk, flow)
        party_columns(desk, flow, 2, 0.9)
        if rng.random() < 0.4:
            signature_lines(desk, flow, 1, 0.8)
    layouts.footer(desk, flow)


def stamped_page(desk: Desk, signed: bool) -> None:
    """A clean office page where small signatures stand in, under and beside round blue stamps."""
    rng, words = desk.rng, desk.words
    desk.blue = 0.75
    flow = layouts.flow_on(desk, layouts.office_style(rng, words.language))
    if rng.random() < 0.5:
        layouts.letterhead(desk, flow)
    flow.heading(words.pick("title"), rng.uniform(12, 15), centred=True)
    layouts.articles(desk, flow, rng.uniform(60, 160))
    flow.paragraph(words.pick("done"))
    parties = int(rng.integers(1, 4))
    pitch = flow.width / max(parties, 2)
    stacked = rng.random() < 0.4
    for number in range(parties):
        x = flow.left + (0.0 if stacked else pitch * number)
        y = flow.y + (rng.uniform(18, 26) * number if stacked else 0.0)
        _stamped_party(desk, flow, x, min(y, flow.bottom - 12), max(pitch, flow.width * 0.8 if stacked else 0), signed)
    layouts.footer(desk, flow)


def _stamped_party(desk: Desk, flow: Flow, x: float, y: float, room: float, signed: bool) -> None:
    """Office, rule, "/name/": the signature on the rule, the stamp across it."""
    rng, words = desk.rng, desk.words
    office = words.pick("office")
    flow.sheet.text(x, y, office, flow.font())
    start = x + flow.font().getlength(office) / flow.sheet.scale + 3 if room > 90 else x
    rule = y + 4 if room > 90 else y + rng.uniform(10, 16)
    length = rng.uniform(28, 45)
    if rng.random() < 0.75:
        flow.sheet.line(start, rule, start + length, rule, 0.2)
        flow.sheet.text(start + length + 1 if room > 90 else start, rule - (3.5 if room > 90 else -1), f"/ {words.name()} /", flow.font())
    centre = (start + length * rng.uniform(0.3, 0.7), rule - rng.uniform(0, 5))
    if signed and rng.random() < 0.9:
        desk.sign(centre[0], centre[1], rng.uniform(14, 38), rng.uniform(6, 17))
    if rng.random() < 0.85:
        at = (centre[0] + rng.normal(0, 9), centre[1] + rng.normal(0, 7))
        desk.round_stamp(at[0], at[1], rng.uniform(30, 46), None if rng.random() < 0.3 else _office_blue(rng))


def _office_blue(rng: np.random.Generator) -> tuple[int, int, int]:
    return int(rng.integers(20, 90)), int(rng.integers(40, 110)), int(rng.integers(150, 230))


def certificate(desk: Desk, signed: bool) -> None:
    """A certificate: ornamental frame, seal, script type, one or three signatures over captions."""
    rng, words, sheet = desk.rng, desk.words, desk.sheet
    style = layouts.office_style(rng, words.language)
    wide, high = sheet.size_mm
    _frame(desk)
    flow = Flow(sheet, style, 28, wide - 28, 30, high - 28)
    sheet.print_colour = layouts.brand_colour(desk, 0.5)
    if words.language != "ru" and rng.random() < 0.5:
        font = face(str(rng.choice(SCRIPTS)), sheet.points(rng.uniform(24, 40)))
        sheet.text((wide - font.getlength("Certificate") / sheet.scale) / 2, flow.y, "Certificate", font)
        flow.y += 22
    flow.heading(words.pick("title"), rng.uniform(15, 22), centred=True)
    sheet.print_colour = (20, 20, 20)
    flow.heading(words.company(), 14, centred=True)
    layouts.body_text(desk, flow, int(rng.integers(1, 4)), 80)
    y = high - rng.uniform(45, 65)
    _captions(desk, flow, y, signed)
    if rng.random() < 0.6:
        desk.round_stamp(rng.uniform(45, wide - 45), y + rng.normal(0, 10), rng.uniform(32, 50))


def _captions(desk: Desk, flow: Flow, y: float, signed: bool) -> None:
    rng, words = desk.rng, desk.words
    count = int(rng.integers(1, 4))
    places = [0.7] if count == 1 else list(np.linspace(0.15, 0.85, count))
    for place in places:
        x = flow.left + flow.width * place
        caption = words.pick("office")
        half = flow.font().getlength(caption) / flow.sheet.scale / 2
        if rng.random() < 0.6:
            flow.sheet.line(x - 24, y, x + 24, y)
        flow.sheet.text(x - half, y + 1, caption, flow.font())
        if signed and rng.random() < 0.9:
            width, height = signature_size(desk, 60)
            desk.sign(x, y - height * 0.3, width, min(height, 26))


def _frame(desk: Desk) -> None:
    """Nested rules and a guilloche-like band around the page."""
    rng, sheet = desk.rng, desk.sheet
    wide, high = sheet.size_mm
    colour = layouts.brand_colour(desk, 0.8)
    for inset in np.linspace(7, rng.uniform(10, 16), int(rng.integers(1, 5))):
        corners = [sheet.px(inset), sheet.px(inset), sheet.px(wide - inset), sheet.px(high - inset)]
        sheet.draw.rectangle(corners, outline=colour, width=max(1, sheet.px(rng.choice([0.3, 0.8, 2.0]))))
    if rng.random() < 0.5:
        step = rng.uniform(3, 7)
        for x in np.arange(9, wide - 9, step):
            for y in (8.0, high - 14):
                corners = [sheet.px(x), sheet.px(y), sheet.px(x + step * 1.4), sheet.px(y + 6)]
                sheet.draw.ellipse(corners, outline=colour)
