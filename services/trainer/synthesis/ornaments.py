"""Printed things that are not text: logos, flags, seals, frames, curves of charts. None is a signature."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.trainer.synthesis.desk import Desk
from services.trainer.synthesis.faces import SANS, face, face_for
from services.trainer.synthesis.figures import figure
from services.trainer.synthesis.ink import Colour, Ink
from services.trainer.synthesis.stamps import round_stamp

Values = NDArray[np.float64]

BRAND_COLOURS: tuple[Colour, ...] = (
    (20, 60, 120),
    (150, 30, 40),
    (0, 110, 90),
    (60, 60, 60),
    (200, 110, 0),
    (90, 40, 120),
    (0, 51, 153),
    (0, 130, 190),
    (110, 150, 30),
)


def brand_colour(desk: Desk, colourful: float = 0.6) -> Colour:
    """A house colour with the chance given, else that of the print."""
    if desk.rng.random() > colourful:
        return desk.sheet.print_colour
    return BRAND_COLOURS[int(desk.rng.integers(len(BRAND_COLOURS)))]


def emblem(desk: Desk, x: float, y: float, size: float, colour: Colour) -> None:
    """A logo of about that size: a disc, a lettered block, a shape, rings, a crest, waves, a coat of arms."""
    drawings = (_disc, _lettered_block, _triangle, _rings, _crest, _waves, _word_mark, _engraving)
    drawings[int(desk.rng.integers(len(drawings)))](desk, x, y, size, colour)


def _corners(desk: Desk, x: float, y: float, size: float, inset: float = 0.0) -> list[int]:
    return [desk.sheet.px(value) for value in (x + inset, y + inset, x + size - inset, y + size - inset)]


def _disc(desk: Desk, x: float, y: float, size: float, colour: Colour) -> None:
    pen, start = desk.sheet.draw, float(desk.rng.uniform(0, 360))
    pen.ellipse(_corners(desk, x, y, size), fill=colour)
    pen.arc(_corners(desk, x, y, size, size * 0.15), start, start + 230, fill=desk.sheet.paper, width=3)


def _lettered_block(desk: Desk, x: float, y: float, size: float, colour: Colour) -> None:
    desk.sheet.draw.rectangle(_corners(desk, x, y, size), fill=colour)
    letter = desk.words.pick("company")[0]
    font = face(face_for(letter, SANS), desk.sheet.px(size * 0.55), bold=True)
    desk.sheet.text(x + size * 0.2, y + size * 0.15, letter, font, desk.sheet.paper)


def _triangle(desk: Desk, x: float, y: float, size: float, colour: Colour) -> None:
    corners = desk.rng.uniform(0, 1, (int(desk.rng.integers(3, 6)), 2)) * size + [x, y]
    desk.sheet.draw.polygon([(a * desk.sheet.scale, b * desk.sheet.scale) for a, b in corners], fill=colour)


def _rings(desk: Desk, x: float, y: float, size: float, colour: Colour) -> None:
    for inset in np.linspace(0, size * 0.4, int(desk.rng.integers(2, 5))):
        desk.sheet.draw.ellipse(_corners(desk, x, y, size, float(inset)), outline=colour, width=2)


def _crest(desk: Desk, x: float, y: float, size: float, colour: Colour) -> None:
    """A printed seal: what a company stamp looks like, but part of the letterhead."""
    words = desk.words
    alpha = round_stamp(desk.rng, desk.sheet.px(size * 1.2), words.company().upper(), [words.number(4)])
    print_ink(desk, Ink(alpha, colour), x, y)


def _waves(desk: Desk, x: float, y: float, size: float, colour: Colour) -> None:
    t = np.linspace(0, 2 * np.pi, 30)
    for row in range(int(desk.rng.integers(2, 5))):
        ys = y + size * (0.3 + 0.2 * row) + np.sin(t * 1.3 + row) * size * 0.12
        _curve(desk, x + t / 6.3 * size * 1.4, ys, colour, max(1, desk.sheet.px(0.7)))


def _word_mark(desk: Desk, x: float, y: float, size: float, colour: Colour) -> None:
    letters = "".join(part[0] for part in desk.words.company().split()).upper()
    font = face(face_for(letters, SANS), desk.sheet.px(size * 0.7), bold=True)
    desk.sheet.text(x, y, letters, font, colour)
    desk.sheet.line(x, y + size * 0.85, x + size * 1.3, y + size * 0.85, 0.8, colour)


def _engraving(desk: Desk, x: float, y: float, size: float, colour: Colour) -> None:
    corner = np.array([x, y])
    print_lines(
        desk, [corner + (line + 1) / 2 * size for line in figure(desk.rng)], colour, desk.rng.uniform(0.15, 0.5)
    )


def print_lines(desk: Desk, lines: Iterable[Values], colour: Colour, width: float) -> None:
    """Print lines (n, 2) of that width, all in millimetres."""
    for line in lines:
        _curve(desk, line[:, 0], line[:, 1], colour, max(1, desk.sheet.px(width)))


def _curve(desk: Desk, xs: Values, ys: Values, colour: Colour, width: int) -> None:
    scale = desk.sheet.scale
    desk.sheet.draw.line([(a * scale, b * scale) for a, b in zip(xs, ys, strict=True)], fill=colour, width=width)


def print_ink(desk: Desk, ink: Ink, x: float, y: float) -> None:
    """Print a patch with its top left at x, y: it becomes part of the paper and is no mark of anyone's."""
    patch = Image.new("RGB", ink.size, ink.colour)
    desk.sheet.image.paste(patch, (desk.sheet.px(x), desk.sheet.px(y)), Image.fromarray(ink.alpha))


def star_flag(desk: Desk, x: float, y: float, height: float) -> None:
    """A blue flag with a ring of yellow stars, as on papers of European programmes, its caption beside."""
    sheet = desk.sheet
    width = height * 1.5
    sheet.draw.rectangle([sheet.px(v) for v in (x, y, x + width, y + height)], fill=(0, 51, 153))
    for angle in np.arange(12) * np.pi / 6:
        centre = x + width / 2 + np.cos(angle) * height * 0.34, y + height / 2 + np.sin(angle) * height * 0.34
        sheet.draw.regular_polygon(
            (centre[0] * sheet.scale, centre[1] * sheet.scale, height * 0.06 * sheet.scale), 4, fill=(255, 204, 0)
        )
    if desk.rng.random() < 0.6:
        sheet.text(x + width + 3, y + height * 0.3, desk.words.pick("company"), face(SANS, sheet.points(10), bold=True))


def gold_seal(desk: Desk, x: float, y: float, diameter: float) -> None:
    """A foil or embossed seal with a toothed edge, around x, y."""
    rng, sheet = desk.rng, desk.sheet
    colour = ((184, 150, 60), (120, 110, 70), (150, 30, 40), (60, 60, 60))[int(rng.integers(4))]
    angle = np.linspace(0, 2 * np.pi, 97)
    radius = diameter / 2 * (1 + 0.05 * np.where(np.arange(97) % 2, 1, -1))
    outline = [
        ((x + r * np.cos(a)) * sheet.scale, (y + r * np.sin(a)) * sheet.scale)
        for a, r in zip(angle, radius, strict=True)
    ]
    sheet.draw.polygon(outline, fill=colour)
    alpha = round_stamp(rng, sheet.px(diameter * 0.85), desk.words.company().upper(), [])
    print_ink(desk, Ink(alpha, (245, 235, 200)), x - diameter * 0.425, y - diameter * 0.425)


def frame(desk: Desk) -> None:
    """The border of a certificate: nested rules, bands of ovals, a tint of fine wavy lines across the page."""
    rng, sheet = desk.rng, desk.sheet
    wide, high = sheet.size_mm
    colour = brand_colour(desk, 0.7)
    if rng.random() < 0.4:
        _fine_lines(desk)
    for inset in np.linspace(7, rng.uniform(10, 16), int(rng.integers(1, 5))):
        corners = [sheet.px(v) for v in (inset, inset, wide - inset, high - inset)]
        sheet.draw.rectangle(corners, outline=colour, width=max(1, sheet.px(float(rng.choice([0.3, 0.8, 2.0])))))
    if rng.random() < 0.6:
        _band_of_ovals(desk, colour, rng.uniform(3, 7), rng.uniform(4, 9))


def _band_of_ovals(desk: Desk, colour: Colour, step: float, depth: float) -> None:
    sheet, (wide, high) = desk.sheet, desk.sheet.size_mm
    places = [(x, y) for x in np.arange(8, wide - 8 - depth, step) for y in (8.0, high - 8 - depth)]
    places += [(x, y) for y in np.arange(8, high - 8 - depth, step) for x in (8.0, wide - 8 - depth)]
    for x, y in places:
        sheet.draw.ellipse([sheet.px(v) for v in (x, y, x + depth, y + depth)], outline=colour)


def _fine_lines(desk: Desk) -> None:
    rng, (wide, high) = desk.rng, desk.sheet.size_mm
    base = np.array(BRAND_COLOURS[int(rng.integers(len(BRAND_COLOURS)))])
    red, green, blue = (int(value) for value in 255 - (255 - base) * rng.uniform(0.1, 0.25))
    xs = np.linspace(0, wide, 60)
    bend, swing = rng.uniform(0.02, 0.15), rng.uniform(1, 5)
    for y in np.arange(0, high, rng.uniform(2.0, 5.0)):
        _curve(desk, xs, y + np.sin(xs * bend + y * 0.2) * swing, (red, green, blue), 1)


def security_text(desk: Desk) -> None:
    """A page filled with tiny pale words, as on certificates that must not be copied."""
    sheet, (wide, high) = desk.sheet, desk.sheet.size_mm
    base = np.array(BRAND_COLOURS[int(desk.rng.integers(len(BRAND_COLOURS)))])
    red, green, blue = (int(value) for value in 255 - (255 - base) * desk.rng.uniform(0.15, 0.3))
    font = face(SANS, sheet.points(desk.rng.uniform(5, 8)))
    line = f"{desk.words.company().lower()} " * 20
    for row, y in enumerate(np.arange(8, high - 8, desk.rng.uniform(2.6, 4.0))):
        sheet.text(8 - 3 * (row % 4), y, line[: int(wide)], font, (red, green, blue))


def picture(desk: Desk, x: float, y: float, width: float, height: float) -> None:
    """A photograph in print: soft shapes of light and dark."""
    size = (desk.sheet.px(width), desk.sheet.px(height))
    tones = desk.rng.integers(20, 240, (int(desk.rng.integers(3, 8)), int(desk.rng.integers(3, 8)), 3)).astype(np.uint8)
    if desk.rng.random() < 0.6:
        tones[..., 1:] = tones[..., :1]
    photo = Image.fromarray(tones).resize(size, Image.Resampling.BICUBIC)
    desk.sheet.image.paste(photo, (desk.sheet.px(x), desk.sheet.px(y)))


def redactions(desk: Desk, count: int) -> None:
    """Words and lines blacked out, or whited out, before the paper was given away."""
    rng, (wide, high) = desk.rng, desk.sheet.size_mm
    fill = (0, 0, 0) if rng.random() < 0.6 else desk.sheet.paper
    for _ in range(count):
        x, y = rng.uniform(20, wide - 70), rng.uniform(20, high * 0.65)
        desk.sheet.box(x, y, x + rng.uniform(10, 60), y + rng.uniform(3, 12), 0, fill=fill)


def chart(desk: Desk, x: float, y: float, width: float, height: float) -> None:
    """Axes with smooth curves or bars: lines as free as handwriting that are none."""
    rng, sheet = desk.rng, desk.sheet
    sheet.line(x, y, x, y + height, 0.4)
    sheet.line(x, y + height, x + width, y + height, 0.4)
    if rng.random() < 0.3:
        for bar in range(int(rng.integers(4, 10))):
            left, top = x + 3 + bar * width / 10, y + height * rng.uniform(0.1, 0.9)
            sheet.box(left, top, left + width / 14, y + height, 0.2, fill=(90, 90, 90))
        return
    for _ in range(int(rng.integers(1, 5))):
        knots = np.cumsum(rng.normal(0, 0.25, 7)) + rng.uniform(0.2, 0.8)
        ys = np.interp(np.linspace(0, 6, 50), np.arange(7), np.clip(knots, 0.02, 0.98))
        smooth = np.convolve(np.pad(ys, 4, "edge"), np.ones(9) / 9, "valid")
        _curve(
            desk, np.linspace(x, x + width, 50), y + height * (1 - smooth), sheet.print_colour, max(1, sheet.px(0.4))
        )
