"""Where signatures go: the ways business papers leave room for them, with the stamps and writing around."""

from collections.abc import Callable

from services.trainer.synthesis.desk import Desk
from services.trainer.synthesis.flow import Flow
from services.trainer.synthesis.ink import Colour, pen_colour


def signature_size(desk: Desk, largest: float = 95.0) -> tuple[float, float]:
    """The room a signature takes, width and height in mm: mostly 40 to 95 by 11 to 27, some tall, some tiny."""
    rng = desk.rng
    kind = rng.random()
    if kind < 0.09:
        return rng.uniform(14, 30), rng.uniform(5, 10)
    if kind < 0.18:
        return rng.uniform(18, 45), rng.uniform(20, 50)
    return min(largest, rng.uniform(40, 96)), rng.uniform(11, 27)


def close_letter(desk: Desk, flow: Flow, signed: bool, pen: Colour) -> None:
    """The end of a letter: closing words, at times by hand, the signature over them, typed name and office."""
    rng, words = desk.rng, desk.words
    x = flow.left if rng.random() < 0.45 else flow.left + flow.width * rng.uniform(0.42, 0.6)
    closing = words.pick("closing")
    if signed and rng.random() < 0.1:
        desk.handwrite(closing[:24], x + rng.uniform(-6, 4), flow.y + 2, rng.uniform(2.0, 3.6), pen)
        flow.skip(rng.uniform(1.5, 2.5))
    elif len(closing) > 40:
        flow.paragraph(closing)
    else:
        flow.sheet.text(x, flow.y, closing, flow.font())
        flow.skip()
    width, height = signature_size(desk)
    room = max(flow.line_height() * 2.5, height * rng.uniform(0.5, 0.95))
    middle = flow.y + room * 0.5
    name = words.name()
    flow.y += room
    _typed_name(desk, flow, x, name)
    if signed:
        desk.sign(x + width * rng.uniform(0.35, 0.65), middle, width, height, name, pen)
        stamp_near(desk, x + width / 2, middle, 0.15)


def _typed_name(desk: Desk, flow: Flow, x: float, name: str) -> None:
    flow.sheet.text(x, flow.y, name, flow.font())
    flow.skip()
    if desk.rng.random() < 0.75:
        flow.sheet.text(x, flow.y, desk.words.pick("office"), flow.font())
        flow.skip()


def stamp_near(desk: Desk, x: float, y: float, chance: float) -> None:
    """With the chance given, stamp over or beside the place where somebody signed."""
    rng = desk.rng
    if rng.random() > chance:
        return
    at = (x + rng.normal(0, 16), y + rng.normal(0, 8))
    kind = rng.random()
    if kind < 0.55:
        desk.round_stamp(*at, rng.uniform(26, 44))
    elif kind < 0.85:
        desk.company_stamp(*at, rng.uniform(38, 65))
    else:
        desk.word_stamp(*at, rng.uniform(25, 50))


def party_columns(desk: Desk, flow: Flow, signers: int, signed: float) -> None:
    """Two or three parties side by side: heading, mention by hand, signature, stamp; `signed` is the chance of each."""
    rng, words = desk.rng, desk.words
    pitch = flow.width / max(signers, 2)
    boxed, depth = rng.random() < 0.25, rng.uniform(32, 52)
    top, hint = flow.y, rng.random() < 0.5
    for column in range(signers):
        x = flow.left + pitch * column
        if boxed:
            flow.sheet.box(x, top - 1, x + pitch - 2, top + depth)
        flow.sheet.text(x + 1, top, words.pick("party"), flow.font(bold=True))
        name = words.name()
        flow.sheet.text(x + 1, top + flow.line_height(), name, flow.font())
        if hint:
            flow.sheet.text(
                x + 1, top + 2 * flow.line_height(), words.pick("signhere"), flow.font(flow.style.body * 0.8)
            )
        if rng.random() < signed:
            _party_signs(desk, x, top + 3 * flow.line_height(), pitch, name)
    flow.y = top + depth + 3


def _party_signs(desk: Desk, x: float, y: float, pitch: float, name: str) -> None:
    rng = desk.rng
    if rng.random() < 0.35:
        desk.handwrite(desk.words.pick("mention"), x + rng.uniform(0, 8), y + 2, rng.uniform(1.6, 2.6))
        y += 5
    width, height = signature_size(desk, pitch)
    middle = y + max(6.0, height * 0.45)
    at = x + pitch * rng.uniform(0.3, 0.6)
    desk.sign(at, middle, min(width, pitch * 1.1), height, name)
    stamp_near(desk, at, middle, 0.35)


def signature_lines(desk: Desk, flow: Flow, signers: int, signed: float) -> None:
    """ "By: ______" rules one under another, name and title under each, date beside."""
    rng, words = desk.rng, desk.words
    length = rng.uniform(55, 85)
    x = flow.left if rng.random() < 0.5 else flow.right - length - 5
    for _ in range(signers):
        flow.skip(rng.uniform(1.8, 3.0))
        if flow.full:
            return
        lead = words.pick("signhere")[:22] if rng.random() < 0.7 else ""
        offset = min(flow.font().getlength(lead) / flow.sheet.scale + 1, length - 40)
        flow.sheet.text(x, flow.y - flow.line_height() * 0.9, lead, flow.font())
        flow.sheet.line(x + offset, flow.y, x + length, flow.y)
        _sign_on_line(desk, flow, x + offset, length - offset, signed)
        for below in (words.name(), words.pick("office"))[: int(rng.integers(0, 3))]:
            flow.sheet.text(x + offset, flow.y + 0.5, below, flow.font())
            flow.skip()


def _sign_on_line(desk: Desk, flow: Flow, x: float, length: float, signed: float) -> None:
    rng = desk.rng
    if rng.random() > signed:
        return
    width, height = signature_size(desk, length * 1.15)
    middle = flow.y - height * rng.uniform(0.1, 0.4)
    desk.sign(x + length * rng.uniform(0.35, 0.6), middle, width, min(height, 22), None)
    stamp_near(desk, x + length / 2, middle, 0.12)
    if rng.random() < 0.3 and x + length + 25 < flow.right:
        desk.handwrite(desk.words.short_date(), x + length + 3, flow.y - 2, rng.uniform(1.6, 2.5))


def signing_grid(desk: Desk, flow: Flow, rows: int, signed: float) -> None:
    """A form's grid: SIGNATURE | NAME OF SIGNER, ADDRESS below, filled in by hand (as on US leases)."""
    rng, words = desk.rng, desk.words
    split = flow.left + flow.width * rng.uniform(0.45, 0.6)
    small = flow.font(flow.style.body * 0.62)
    for _ in range(rows):
        top, height = flow.y, rng.uniform(9, 13)
        for left, right, caption in ((flow.left, split, "signhere"), (split, flow.right, "fields")):
            flow.sheet.box(left, top, right, top + height)
            flow.sheet.text(left + 0.8, top + 0.3, words.pick(caption).upper(), small)
        name = words.name()
        flow.y += height
        if rng.random() > signed:
            continue
        width = (split - flow.left) * rng.uniform(0.5, 0.95)
        pen = pen_colour(rng, desk.blue)
        desk.sign(flow.left + width * 0.6, top + height * 0.55, width, height * rng.uniform(0.8, 1.6), name, pen)
        if rng.random() < 0.8:
            desk.handwrite(name, split + rng.uniform(2, 14), top + height * 0.6, rng.uniform(1.8, 3.6), pen)
        if rng.random() < 0.6:
            flow.sheet.box(flow.left, flow.y, flow.right, flow.y + height * 0.8)
            desk.handwrite(
                words.address(), flow.left + rng.uniform(2, 25), flow.y + height * 0.45, rng.uniform(1.8, 3.0), pen
            )
            flow.y += height * 0.8
    flow.y += 2


TABLE_LABELS = {
    "en": (("Signature", "Signed"), ("Name", "Print name"), ("Position", "Title"), ("Date",)),
    "fr": (("Signature", "Signature et cachet"), ("Nom", "Nom et prénom"), ("Qualité", "Fonction"), ("Date", "Le")),
    "ru": (("Подпись",), ("ФИО",), ("Должность",), ("Дата",)),
}


def signature_table(desk: Desk, flow: Flow, signers: int, signed: float) -> None:
    """For each party rows of Signature, Name, Position, Date, the answers typed or by hand, as funders ask for them."""
    rng, words = desk.rng, desk.words
    boxed, by_hand = rng.random() < 0.7, rng.random() < 0.6
    side_by_side = signers == 2 and rng.random() < 0.5
    top, width = flow.y, flow.width / 2 - 3 if side_by_side else flow.width * rng.uniform(0.55, 1.0)
    for party in range(signers):
        if side_by_side:
            flow.y = top
        left = flow.left + (flow.width / 2 + 3) * party * side_by_side
        flow.sheet.text(left, flow.y, words.pick("party"), flow.font(bold=True))
        flow.skip(1.4)
        _party_rows(desk, flow, (left, left + width), rng.random() < signed, by_hand, boxed)
        flow.skip()


def _party_rows(desk: Desk, flow: Flow, edges: tuple[float, float], signed: bool, by_hand: bool, boxed: bool) -> None:
    rng, words = desk.rng, desk.words
    split = edges[0] + (edges[1] - edges[0]) * rng.uniform(0.22, 0.4)
    name = words.name()
    values = ["", name, words.pick("office"), words.short_date()]
    order = (0, 1, 2, 3) if rng.random() < 0.5 else (1, 2, 0, 3)
    for row in order:
        height = rng.uniform(10, 20) if row == 0 else rng.uniform(6, 9)
        label = str(rng.choice(TABLE_LABELS[words.language][row]))
        _ruled_row(flow, edges, split, height, boxed)
        flow.sheet.text(edges[0] + 1.5, flow.y + 1.2, label, flow.font())
        middle = flow.y + height / 2
        if row == 0 and signed:
            wide, high = signature_size(desk, (edges[1] - split) * 1.05)
            desk.sign((split + edges[1]) / 2 + rng.normal(0, 6), middle, wide, min(high, height * 1.6), name)
            stamp_near(desk, (split + edges[1]) / 2, middle, 0.2)
        elif by_hand and signed:
            desk.handwrite(values[row], split + rng.uniform(2, 10), middle, rng.uniform(1.6, 2.4))
        elif row and (signed or rng.random() < 0.4):
            flow.sheet.text(split + 2, flow.y + 1.2, values[row], flow.font())
        flow.y += height


def _ruled_row(flow: Flow, edges: tuple[float, float], split: float, height: float, boxed: bool) -> None:
    if boxed:
        flow.sheet.box(edges[0], flow.y, split, flow.y + height, 0.2)
        flow.sheet.box(split, flow.y, edges[1], flow.y + height, 0.2)
    else:
        flow.sheet.line(split, flow.y + height - 1, edges[1], flow.y + height - 1, 0.2)


WAYS_TO_SIGN: tuple[Callable[[Desk, Flow, int, float], None], ...] = (
    party_columns,
    signature_lines,
    signing_grid,
    signature_table,
)
