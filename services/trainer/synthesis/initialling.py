"""Where people put their initials: at page feet, on lines for them, beside corrections, on what they have read."""

import numpy as np

from services.trainer.synthesis.desk import Desk
from services.trainer.synthesis.flow import Flow
from services.trainer.synthesis.hand import draw, neat_hand
from services.trainer.synthesis.ink import Colour, Ink, pen_colour, rasterise_at


def initials_at_foot(desk: Desk, signers: int, text_end: float | None = None) -> None:
    """Each party's paraphe near the foot, mostly lower right, some across the last lines, some higher in the margin.

    Where the text ends before the page does, at text_end in mm from the top, some initial there.
    """
    rng = desk.rng
    wide, high = desk.sheet.size_mm
    x = wide - rng.uniform(15, 50) if rng.random() < 0.75 else rng.uniform(20, wide - 60)
    y = high - (rng.uniform(9, 32) if rng.random() < 0.7 else rng.uniform(32, 200))
    if text_end is not None and text_end < high - 60 and rng.random() < 0.4:
        x, y = rng.uniform(30, wide - 25), text_end + rng.normal(4, 6)
    for _ in range(signers):
        size = rng.uniform(5, 11) if rng.random() < 0.4 else rng.uniform(14, 40)
        desk.initial(x, y - max(0.0, size - 14) / 2 + rng.normal(0, 2), desk.words.name(), size)
        x -= rng.uniform(9, 26)


def initials_line(desk: Desk, flow: Flow) -> None:
    """ "INITIALS: ____ LESSOR ____ LESSEE" printed at the foot and initialled across rules and print: no signature."""
    rng, sheet = desk.rng, flow.sheet
    y = sheet.size_mm[1] - rng.uniform(11, 24)
    label = "INITIALS:" if desk.words.language == "en" else "PARAPHES :"
    bold, small = flow.font(bold=True), flow.font(rng.uniform(5.5, 8))
    left = flow.left + (0.0 if rng.random() < 0.6 else flow.width * rng.uniform(0.1, 0.45))
    sheet.text(left, y, label, bold)
    x = left + bold.getlength(label) / sheet.scale + rng.uniform(1, 8)
    room, below, stacked = rng.uniform(12, 30), rng.random() < 0.5, rng.random() < 0.35
    for caption in (desk.words.pick("party").split()[-1] for _ in range(2)):
        sheet.line(x, y + 4, x + room, y + 4)
        sheet.text(x if below else x + room + 1, y + (5 if below else 1), caption, small)
        if rng.random() < 0.75:
            middle = x + room * rng.uniform(0.2, 1.0)
            desk.initial(middle, y + rng.normal(2, 1.5), desk.words.name(), rng.uniform(5, 20))
        if stacked:
            y += rng.uniform(3.5, 7)
        else:
            x += room + (6 if below else 4 + small.getlength(caption) / sheet.scale)


def read_and_initialled(desk: Desk) -> None:
    """Those a paper went round to initialled it, mostly at its head, below or beside each other, some with the date."""
    rng, (wide, high) = desk.rng, desk.sheet.size_mm
    lowest = 80 if rng.random() < 0.8 else high - 25
    x, y = _least_printed(desk, [(rng.uniform(15, wide - 25), rng.uniform(8, lowest)) for _ in range(3)])
    below_each_other, pen = rng.random() < 0.6, pen_colour(rng, desk.blue)
    for _ in range(int(rng.choice(5, p=[0.5, 0.22, 0.14, 0.09, 0.05])) + 1):
        size = rng.uniform(4.5, 11)
        initial_legibly(desk, x, y, size, pen)
        if rng.random() < 0.35:
            day = f"{rng.integers(1, 13)}/{rng.integers(1, 32)}"
            desk.handwrite(day, x + size, y + rng.normal(1, 2), size / 4, pen)
        if rng.random() < 0.5:
            pen = pen_colour(rng, desk.blue)
        step = size * rng.uniform(0.9, 1.6)
        x, y = (x + rng.normal(0, 5), y + step) if below_each_other else (x + step * 2, y + rng.normal(0, 2))


def _least_printed(desk: Desk, places: list[tuple[float, float]]) -> tuple[float, float]:
    """The one of some places with the least print where initials would lie."""
    px = desk.sheet.px
    around = [(px(x - 8), px(y - 5), px(x + 8), px(y + 5)) for x, y in places]
    light = [float(np.asarray(desk.sheet.image.crop(box).convert("L")).mean()) for box in around]
    return places[int(np.argmax(light))]


def initial_legibly(
    desk: Desk, x: float, y: float, height: float, pen: Colour | None = None, name: str | None = None
) -> None:
    """Mostly the letters of a name, as high as `height` mm, else a paraphe like any other; of anybody by default."""
    name = name or desk.words.name()
    if desk.rng.random() < 0.65:
        desk.initial_in_letters(x, y, name, height, pen)
    else:
        desk.initial(x, y, name, height, pen)


def correction_initialled(desk: Desk, flow: Flow) -> None:
    """Some words struck out by pen, others perhaps written above, and the parties' initials in the margin beside."""
    rng, wide = desk.rng, desk.sheet.size_mm[0]
    pen = pen_colour(rng, desk.blue)
    start, length, y = flow.left + flow.width * rng.uniform(0, 0.7), rng.uniform(12, 60), rng.uniform(50, 240)
    for row in range(int(rng.integers(1, 3))):
        stroke = draw(np.array([[0.0, 0.0], [length, rng.normal(0, 0.8)]]), neat_hand(rng), rng)
        struck = rasterise_at([stroke], desk.sheet.scale, desk.nib())
        desk.sheet.put("handwriting", Ink(struck, pen), start, y + 4.5 * row, anchor=(0.0, 0.5))
    if rng.random() < 0.6:
        desk.handwrite(desk.words.pick("note"), start, y - rng.uniform(2.5, 4.5), rng.uniform(1.4, 2.4), pen)
    x = rng.uniform(7, max(8.0, flow.left)) if rng.random() < 0.5 else rng.uniform(min(flow.right, wide - 12), wide - 8)
    for _ in range(int(rng.integers(1, 3))):
        height = rng.uniform(4.5, 10)
        initial_legibly(desk, x, y, height)
        y += height * rng.uniform(0.9, 1.5)
