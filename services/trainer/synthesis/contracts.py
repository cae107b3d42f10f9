"""Contracts and what goes with them: statutes, grant agreements, stamped office pages."""

import numpy as np

from services.trainer.synthesis import layouts, ornaments
from services.trainer.synthesis.desk import Desk
from services.trainer.synthesis.faces import SANS, face
from services.trainer.synthesis.flow import Flow
from services.trainer.synthesis.initialling import correction_initialled, initials_at_foot, initials_line
from services.trainer.synthesis.signing import (
    WAYS_TO_SIGN,
    party_columns,
    signature_lines,
    signature_table,
    stamp_near,
)


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
        way = WAYS_TO_SIGN[int(rng.choice(4, p=[0.5, 0.24, 0.08, 0.18]))]
        way(desk, flow, int(rng.integers(1, 4)), 0.85 if signed else 0.0)
    if rng.random() < (0.2 if signed else 0.55):
        initials_at_foot(desk, int(rng.integers(1, 4)), None if last_page else flow.y)
    elif rng.random() < 0.2:
        initials_line(desk, flow)
    if rng.random() < 0.12:
        correction_initialled(desk, flow)
    layouts.footer(desk, flow)


def statutes(desk: Desk, signed: bool) -> None:
    """French company statutes: dense articles, initials at every foot, a large free signature on the last page."""
    rng, words = desk.rng, desk.words
    desk.legibility, desk.fineness = 0.25, 0.65
    flow = layouts.flow_on(desk, layouts.office_style(rng, words.language))
    if rng.random() < 0.3 and not signed:
        flow.y += 70
        for line in (words.company(), words.address(), words.pick("statutes")):
            flow.heading(line, rng.uniform(11, 16), centred=True)
    elif rng.random() < 0.4:
        flow.heading(words.pick("statutes"), rng.uniform(11, 14), centred=True, underlined=rng.random() < 0.5)
    layouts.articles(desk, flow, rng.uniform(60, 190) if signed else float(rng.choice([2, 2, 60, 120])))
    if signed:
        _sign_freely(desk, flow)
    if rng.random() < (0.25 if signed else 0.75):
        initials_at_foot(desk, int(rng.integers(1, 4)), None if signed else flow.y)
    if rng.random() < 0.05:
        correction_initialled(desk, flow)
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
        width, height = rng.uniform(42, 95), rng.uniform(18, 50)
        desk.sign(x + width / 2, flow.y + height * rng.uniform(0.35, 0.6), width, height)
        stamp_near(desk, x + width / 2, flow.y + height / 2, 0.25)
        flow.y += height * rng.uniform(0.7, 1.1)


def grant_agreement(desk: Desk, signed: bool) -> None:
    """A colour agreement of a public funder: flags and emblems, article text, tables in tint, two signature columns."""
    rng, words = desk.rng, desk.words
    desk.pasted = 0.15
    flow = layouts.flow_on(desk, layouts.office_style(rng, words.language), top=14)
    colour = ornaments.brand_colour(desk, 1.0)
    _funders(desk, flow, colour)
    if rng.random() < 0.6:
        flow.heading(words.pick("title"), rng.uniform(12, 18), centred=rng.random() < 0.6)
    if rng.random() < 0.35:
        _tinted_table(desk, flow, colour)
    room = rng.uniform(70, 190) if signed or rng.random() < 0.4 else 2
    layouts.articles(desk, flow, room)
    if room > 2:
        layouts.done_at(desk, flow)
        way = party_columns if rng.random() < 0.5 else signature_table
        way(desk, flow, int(rng.integers(1, 3)), 0.9 if signed else 0.0)
        if rng.random() < 0.2 and not flow.full:
            signature_lines(desk, flow, 1, 0.8 if signed else 0.0)
    if rng.random() < 0.25:
        _electronic_seal(desk, flow)
    if rng.random() < 0.2:
        initials_at_foot(desk, int(rng.integers(1, 3)))
    layouts.footer(desk, flow)


def _funders(desk: Desk, flow: Flow, colour: tuple[int, int, int]) -> None:
    rng = desk.rng
    if rng.random() < 0.4:
        ornaments.star_flag(desk, flow.left, flow.y, rng.uniform(9, 18))
    else:
        ornaments.emblem(desk, flow.left, flow.y, rng.uniform(12, 22), colour)
    if rng.random() < 0.6:
        ornaments.emblem(desk, flow.right - 22, flow.y, rng.uniform(12, 20), ornaments.brand_colour(desk, 1.0))
    flow.y += 26
    if rng.random() < 0.35:
        flow.sheet.box(0, flow.y - 1, flow.sheet.size_mm[0], flow.y + 6, 0, fill=colour)
        flow.y += 10


def _tinted_table(desk: Desk, flow: Flow, colour: tuple[int, int, int]) -> None:
    """Field names in coloured cells, typed answers beside."""
    tint = tuple(255 - (255 - part) // 4 for part in colour)
    split = flow.left + flow.width * desk.rng.uniform(0.25, 0.5)
    for _ in range(int(desk.rng.integers(2, 7))):
        bottom = flow.y + flow.line_height() + 2
        flow.sheet.box(flow.left, flow.y, split, bottom, 0.2, fill=(tint[0], tint[1], tint[2]))
        flow.sheet.box(split, flow.y, flow.right, bottom, 0.2)
        flow.sheet.text(flow.left + 1.5, flow.y + 1, desk.words.pick("fields"), flow.font(bold=True))
        flow.sheet.text(split + 1.5, flow.y + 1, desk.words.company(), flow.font())
        flow.y = bottom
    flow.skip()


def _electronic_seal(desk: Desk, flow: Flow) -> None:
    """The printed block of an electronic signature: a name and a time stamp in type, no ink of a hand."""
    name, small = desk.words.name(), face(SANS, desk.sheet.points(6.5))
    x, y = flow.left + flow.width * desk.rng.uniform(0, 0.6), min(flow.y, flow.bottom - 14)
    lead = "Signé électroniquement par" if desk.words.language == "fr" else "Digitally signed by"
    for number, word in enumerate(name.split()[:2]):
        flow.sheet.text(x, y + 6 * number, word, face(SANS, desk.sheet.points(13)))
    for number, line in enumerate((lead, name, f"Date: {desk.words.short_date()} 10:{desk.words.number(2)} +01'00'")):
        flow.sheet.text(x + 30, y + 3 * number, line, small)


def stamped_page(desk: Desk, signed: bool) -> None:
    """A clean office page where small signatures stand in, under and beside round blue stamps."""
    rng, words = desk.rng, desk.words
    desk.blue, desk.legibility, desk.pasted = 0.75, 0.35, 0.08
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
        flow.sheet.text(
            start + length + 1 if room > 90 else start,
            rule - (3.5 if room > 90 else -1),
            f"/ {words.name()} /",
            flow.font(),
        )
    centre = (start + length * rng.uniform(0.3, 0.7), rule - rng.uniform(0, 5))
    if signed and rng.random() < 0.9:
        desk.sign(centre[0], centre[1], rng.uniform(16, 42), rng.uniform(7, 18))
    if rng.random() < 0.85:
        at = (centre[0] + rng.normal(0, 9), centre[1] + rng.normal(0, 7))
        desk.round_stamp(at[0], at[1], rng.uniform(30, 46), None if rng.random() < 0.3 else _office_blue(rng))


def _office_blue(rng: np.random.Generator) -> tuple[int, int, int]:
    return int(rng.integers(20, 90)), int(rng.integers(40, 110)), int(rng.integers(150, 230))
