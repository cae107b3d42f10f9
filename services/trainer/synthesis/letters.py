"""Letters, memos and reports: typewritten archives, office correspondence, pages written by hand."""

from services.trainer.synthesis import layouts, lookalikes, ornaments
from services.trainer.synthesis.desk import Desk
from services.trainer.synthesis.flow import Flow
from services.trainer.synthesis.initialling import initial_legibly, read_and_initialled
from services.trainer.synthesis.ink import Colour, pen_colour
from services.trainer.synthesis.signing import close_letter, signature_size


def letter(desk: Desk, signed: bool) -> None:
    """A business letter, letterhead to typed name."""
    flow = layouts.flow_on(desk, layouts.office_style(desk.rng, desk.words.language))
    _letter_on(desk, flow, signed)


def archive_letter(desk: Desk, signed: bool) -> None:
    """A typewritten letter of the 1960s to 1990s, as in litigation archives."""
    rng = desk.rng
    desk.legibility = 0.8
    flow = layouts.flow_on(desk, layouts.typewriter_style(rng))
    _letter_on(desk, flow, signed)
    flow.y = min(flow.y, flow.bottom)
    below = ("cc: " + desk.words.name(), desk.words.name()[0] + "/" + desk.words.name()[0].lower(), "Enclosure")
    for line in below[: int(rng.integers(0, 4))]:
        flow.line(line)
    _archived(desk, signed)


def _archived(desk: Desk, signed: bool) -> None:
    rng = desk.rng
    if rng.random() < 0.3:
        layouts.scribbled_notes(desk, int(rng.integers(1, 5)))
    if signed and rng.random() < 0.15:
        layouts.signed_note(desk)
    if rng.random() < 0.25:
        read_and_initialled(desk)
    if rng.random() < 0.65:
        layouts.archive_numbers(desk)
    if rng.random() < 0.06:
        ornaments.redactions(desk, int(rng.integers(1, 6)))
    if rng.random() < 0.12:
        x, y = rng.uniform(120, 180), rng.uniform(15, 70)
        desk.word_stamp(x, y, rng.uniform(25, 50))
        if rng.random() < 0.3:
            initial_legibly(desk, x + rng.normal(5, 10), y + rng.normal(0, 5), rng.uniform(4, 10))


def _letter_on(desk: Desk, flow: Flow, signed: bool) -> None:
    rng, words = desk.rng, desk.words
    if rng.random() < 0.8:
        layouts.letterhead(desk, flow)
    flow.line(words.date(), align=str(rng.choice(["left", "right", "centre"])))
    flow.skip(rng.uniform(0.5, 2))
    layouts.address_block(desk, flow, flow.left if words.language == "en" else flow.left + flow.width * 0.55)
    pen = pen_colour(rng, desk.blue)
    if rng.random() < 0.12:
        _greeting_by_hand(desk, flow, pen)
    else:
        flow.line(words.pick("greeting"))
    flow.skip(0.5)
    layouts.body_text(desk, flow, int(rng.integers(1, 6)), 75)
    close_letter(desk, flow, signed, pen)
    if rng.random() < 0.06:
        read_and_initialled(desk)
    if rng.random() < 0.3:
        layouts.footer(desk, flow)


def _greeting_by_hand(desk: Desk, flow: Flow, pen: Colour) -> None:
    """ "Dear" in print or not at all, then the name by the signer's own hand: large, hasty and no signature."""
    rng, words = desk.rng, desk.words
    printed = words.pick("greeting").split()[0] if rng.random() < 0.7 else ""
    flow.sheet.text(flow.left, flow.y, printed, flow.font())
    x = flow.left + flow.font().getlength(printed) / flow.sheet.scale + rng.uniform(1.5, 5)
    called = words.pick("first") if rng.random() < 0.5 else words.name()
    desk.handwrite(called + ("," if rng.random() < 0.5 else ""), x, flow.y + 1.5, rng.uniform(2.0, 4.2), pen)
    flow.skip(1.3)


def memo(desk: Desk, signed: bool) -> None:
    """TO / FROM / SUBJECT with a body; signed or initialled by hand beside the sender, notes scribbled on it."""
    rng, words = desk.rng, desk.words
    typed = rng.random() < 0.6
    style = layouts.typewriter_style(rng) if typed else layouts.office_style(rng, words.language)
    flow = layouts.flow_on(desk, style)
    if rng.random() < 0.5:
        layouts.letterhead(desk, flow)
    _memo_head(desk, flow)
    layouts.body_text(desk, flow, int(rng.integers(1, 6)), 60)
    if signed:
        width, height = signature_size(desk)
        desk.sign(flow.left + flow.width * rng.uniform(0.3, 0.8), flow.y + height / 2 + 2, width, height)
    if rng.random() < 0.35:
        layouts.scribbled_notes(desk, int(rng.integers(1, 6)))
    _archived(desk, signed)


def _memo_head(desk: Desk, flow: Flow) -> None:
    rng, words = desk.rng, desk.words
    for label in ("TO:", "FROM:", "CC:", "DATE:", "SUBJECT:"):
        value = words.date() if label == "DATE:" else words.pick("heading") if label == "SUBJECT:" else words.name()
        flow.sheet.text(flow.left, flow.y, label, flow.font(bold=True))
        flow.sheet.text(flow.left + 28, flow.y, value, flow.font())
        if label == "FROM:" and rng.random() < 0.3:
            initial_legibly(desk, flow.left + rng.uniform(60, 90), flow.y + 1, rng.uniform(5, 10), name=value)
        flow.skip(1.4)
    flow.sheet.line(flow.left, flow.y, flow.right, flow.y, 0.4)
    flow.skip()


def handwritten(desk: Desk, signed: bool) -> None:
    """A note or letter written by hand: only the last lines of it, if any, are a signature."""
    rng, words = desk.rng, desk.words
    flow = layouts.flow_on(desk, layouts.office_style(rng, words.language))
    if rng.random() < 0.5:
        layouts.letterhead(desk, flow)
    size, ink = rng.uniform(1.8, 3.2), pen_colour(rng, desk.blue)
    y, step = flow.y + 5, size * rng.uniform(2.8, 3.8)
    for _ in range(int(rng.integers(3, 14))):
        if y > flow.bottom - 50:
            break
        desk.handwrite(words.pick("sentence")[: int(rng.integers(25, 48))], flow.left + rng.uniform(0, 4), y, size, ink)
        y += step
    if rng.random() < 0.6:
        desk.handwrite(words.pick("closing")[:24], flow.left + flow.width * rng.uniform(0.1, 0.6), y, size, ink)
        y += step
    if signed:
        width, height = signature_size(desk, 70)
        desk.sign(flow.left + flow.width * rng.uniform(0.3, 0.75), y + height * 0.6, width, height)


def report(desk: Desk, signed: bool) -> None:
    """Pages nobody signs (a signature on one is a stray one): reports, references, tables, charts, names."""
    rng, words = desk.rng, desk.words
    style = layouts.typewriter_style(rng) if rng.random() < 0.5 else layouts.office_style(rng, words.language)
    flow = layouts.flow_on(desk, style)
    flow.heading(words.pick("statutes"), rng.uniform(11, 15), centred=rng.random() < 0.6)
    end = flow.bottom if rng.random() < 0.7 else flow.y + rng.uniform(20, 120)
    while flow.y < end and not flow.full:
        _report_piece(desk, flow)
    if signed:
        width, height = signature_size(desk)
        desk.sign(rng.uniform(50, 160), rng.uniform(40, 250), width, height)
    _archived(desk, signed)
    layouts.footer(desk, flow)


def _report_piece(desk: Desk, flow: Flow) -> None:
    rng, words = desk.rng, desk.words
    kind = rng.random()
    if kind < 0.45:
        flow.paragraph(words.paragraph(int(rng.integers(1, 6))))
    elif kind < 0.55 and flow.y < flow.bottom - 60:
        _formulas(desk, flow)
    elif kind < 0.7:
        layouts.goods_table(desk, flow, int(rng.integers(3, 15)))
    elif kind < 0.82 and flow.y < flow.bottom - 75:
        ornaments.chart(desk, flow.left + 5, flow.y + 3, flow.width * rng.uniform(0.4, 0.9), rng.uniform(35, 65))
        flow.y += 72
    elif kind < 0.88 and flow.y < flow.bottom - 85:
        ornaments.picture(desk, flow.left + rng.uniform(0, 40), flow.y + 3, rng.uniform(50, 110), rng.uniform(40, 75))
        flow.y += 80
    else:
        for _ in range(int(rng.integers(3, 10))):
            flow.line(f"{words.name()}  {words.short_date()}  {words.amount()}")


def _formulas(desk: Desk, flow: Flow) -> None:
    """One to three drawn formulas side by side, their sum formula below."""
    rng, bond = desk.rng, desk.rng.uniform(5, 11)
    depth = 0.0
    for number in range(int(rng.integers(1, 4))):
        x = flow.left + 12 + number * flow.width / 3
        depth = max(depth, lookalikes.structural_formula(desk, x, flow.y + bond, bond))
    flow.y += depth + 2 * bond
    flow.line(f"C{rng.integers(4, 30)}H{rng.integers(6, 60)}O{rng.integers(1, 9)} = {desk.words.number(3)}")
