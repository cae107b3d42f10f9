"""Forms filled in by hand or machine: leases, mandates, orders, certificates."""

import numpy as np

from services.trainer.synthesis import layouts, lookalikes, ornaments
from services.trainer.synthesis.desk import Desk
from services.trainer.synthesis.faces import SCRIPTS, face
from services.trainer.synthesis.flow import Flow, Style
from services.trainer.synthesis.initialling import correction_initialled, initials_at_foot, initials_line
from services.trainer.synthesis.signing import party_columns, signature_size, signing_grid, stamp_near


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
    if rng.random() < (0.25 if signed else 1.0):
        initials_line(desk, flow)
    if rng.random() < 0.12:
        correction_initialled(desk, flow)
    if rng.random() < 0.35:
        ornaments.redactions(desk, int(rng.integers(1, 9)))
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


def certificate(desk: Desk, signed: bool) -> None:
    """A certificate: ornamental frame, seal, script type, one or three signatures over captions."""
    rng, words, sheet = desk.rng, desk.words, desk.sheet
    style = layouts.office_style(rng, words.language)
    wide, high = sheet.size_mm
    if rng.random() < 0.25:
        ornaments.security_text(desk)
    ornaments.frame(desk)
    if rng.random() < 0.3:
        lookalikes.corner_scrolls(desk)
    flow = Flow(sheet, style, 28, wide - 28, 30, high - 28)
    sheet.print_colour = ornaments.brand_colour(desk, 0.5)
    if words.language != "ru" and rng.random() < 0.5:
        _in_script(desk, flow, "Certificate" if words.language == "en" else "Certificat")
    flow.heading(words.pick("title"), rng.uniform(15, 22), centred=True)
    sheet.print_colour = (20, 20, 20)
    if words.language != "ru" and rng.random() < 0.4:
        _in_script(desk, flow, words.name())
    flow.heading(words.company(), 14, centred=True)
    if rng.random() < 0.3:
        lookalikes.divider(desk, wide / 2, flow.y + 4, rng.uniform(40, 110))
        flow.y += 14
    layouts.body_text(desk, flow, int(rng.integers(1, 4)), 80)
    y = high - rng.uniform(45, 65)
    _captions(desk, flow, y, signed)
    if rng.random() < 0.45:
        desk.round_stamp(rng.uniform(45, wide - 45), y + rng.normal(0, 10), rng.uniform(32, 50))
    elif rng.random() < 0.5:
        ornaments.gold_seal(desk, rng.uniform(40, wide - 40), y + rng.normal(0, 8), rng.uniform(28, 48))


def _in_script(desk: Desk, flow: Flow, text: str) -> None:
    """A line in script type, large: curved like a signature and none."""
    font = face(str(desk.rng.choice(SCRIPTS)), desk.sheet.points(desk.rng.uniform(22, 40)))
    flow.sheet.text((flow.sheet.size_mm[0] - font.getlength(text) / flow.sheet.scale) / 2, flow.y, text, font)
    flow.y += 20


def receipt(desk: Desk, signed: bool) -> None:
    """A till receipt: narrow, small type; a card slip when signed."""
    rng, words, sheet = desk.rng, desk.words, desk.sheet
    wide, high = sheet.size_mm
    style = Style(str(rng.choice(["courier-prime", "cutive-mono", "arimo"])), "arimo", rng.uniform(6, 8), 1.3, 0.3)
    flow = Flow(sheet, style, 5, wide - 5, 8, high - 6)
    for line in (words.company().upper(), words.address(), words.number(10), words.date()):
        flow.line(line, align="centre")
    for _ in range(int(rng.integers(4, 14))):
        flow.line(f"{words.pick('goods')[:16]:<18}{words.amount():>12}")
    flow.line(f"TOTAL {words.amount()}", size=10, bold=True)
    for line in (words.pick("closing")[:30], words.number(16)):
        flow.line(line, align="centre")
    if signed:
        flow.sheet.line(10, flow.y + 20, wide - 10, flow.y + 20)
        desk.sign(wide / 2, flow.y + 14, wide * rng.uniform(0.4, 0.8), rng.uniform(8, 16))
    elif rng.random() < 0.4:
        desk.handwrite(words.pick("note"), rng.uniform(6, 20), rng.uniform(12, high - 20), rng.uniform(1.8, 3.0))


def _captions(desk: Desk, flow: Flow, y: float, signed: bool) -> None:
    rng, words = desk.rng, desk.words
    count = int(rng.integers(1, 4))
    places = [0.7] if count == 1 else list(np.linspace(0.15, 0.85, count))
    for place in places:
        x = flow.left + flow.width * place
        dated = count > 1 and rng.random() < 0.2
        caption = "Date" if dated else words.pick("office")
        half = flow.font().getlength(caption) / flow.sheet.scale / 2
        if rng.random() < 0.6:
            flow.sheet.line(x - 24, y, x + 24, y)
        flow.sheet.text(x - half, y + 1, caption, flow.font())
        if dated:
            desk.handwrite(words.short_date(), x - 16, y - 3, rng.uniform(1.8, 3.2))
        elif signed and rng.random() < 0.9:
            width, height = signature_size(desk, 75)
            desk.sign(x, y - height * 0.3, width, min(height, 30))
