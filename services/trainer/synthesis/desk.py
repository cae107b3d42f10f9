"""What people do to a printed sheet: sign, initial, stamp, write on it by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from services.trainer.synthesis.faces import HANDWRITING, face
from services.trainer.synthesis.hand import Stroke, draw, neat_hand, with_haste, write
from services.trainer.synthesis.ink import Alpha, Colour, Ink, pen_colour, rasterise, rasterise_at
from services.trainer.synthesis.sheet import Kind, Sheet
from services.trainer.synthesis.signature import initials, signature
from services.trainer.synthesis.stamp_crops import is_round, resized
from services.trainer.synthesis.stamps import boxed_stamp, round_stamp, stamp_ink, turned
from services.trainer.synthesis.wording import Wording, signable

Rng = np.random.Generator

REAL_STAMPS = 0.4
"""Share of stamps that are real ones, where there are any."""
PEN_MARKS: tuple[tuple[tuple[float, float], ...], ...] = (
    ((0, 0.8), (0.8, 0), (3, 2.5)),
    ((0, 0), (3, 0.15)),
    ((0, 0), (3, 0.1), (0.2, -0.15), (2.8, -0.1)),
    ((1.5, 1), (0, 0.4), (0.8, -0.6), (2.8, -0.4), (2.6, 0.9), (1.0, 1.1)),
    ((0.4, 2), (0, 1.8), (0.1, 0.2), (0.5, 0)),
    ((0, 0), (2.8, 0.4), (2.2, 0.8), (2.9, 0.4), (2.3, 0)),
    ((0, 0), (1, 1), (1.5, 0), (2.2, 1), (3, 0.2)),
)


class InkSource(Protocol):
    """Anything that yields ready signatures and stamps, such as those cut from real scans."""

    @property
    def stamps(self) -> Sequence[Ink]:
        """Stamps that nobody signed; there may be none."""

    def draw(self, rng: Rng, box: tuple[float, float]) -> Alpha:
        """One signature that fits `box` (width, height in px) as tight alpha."""

    def draw_initials(self, rng: Rng, box: tuple[float, float]) -> Alpha:
        """Some initials that fit `box`, or a signature that small."""


@dataclass
class Desk:
    """A sheet on somebody's desk, with the pens and stamps lying there; places are in millimetres.

    `real_share` of signatures are real ones where there are any, and REAL_STAMPS of stamps; `blue` of pens are blue;
    `legibility` and `fineness` tell how people sign here: readably or not, with broad (above 1) or fine pens; `pasted`
    is the share of signatures put in as pictures.
    """

    sheet: Sheet
    rng: Rng
    words: Wording
    real: InkSource | None = None
    real_share: float = 0.4
    blue: float = 0.5
    legibility: float = 0.5
    fineness: float = 1.0
    pasted: float = 0.0

    def sign(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        name: str | None = None,
        colour: Colour | None = None,
    ) -> None:
        """Sign around the point x, y with ink no larger than width by height."""
        box = (width * self.sheet.scale, height * self.sheet.scale)
        alpha = self._signature(box, name or self.words.name())
        if self.rng.random() < self.pasted:
            self._paste_ground(alpha, x, y)
        if self.rng.random() < 0.12:
            alpha = turned(alpha, float(self.rng.normal(0, 12)))
        self._lay("signature", alpha, x, y, colour)

    def _lay(self, kind: Kind, alpha: Alpha, x: float, y: float, colour: Colour | None) -> None:
        self.sheet.put(kind, Ink(alpha, colour or pen_colour(self.rng, self.blue)), x, y)

    def _paste_ground(self, alpha: Alpha, x: float, y: float) -> None:
        """The pale rectangle that shows when a signature was pasted in as a picture."""
        tone = int(self.rng.integers(228, 255))
        half = (alpha.shape[1] / self.sheet.scale / 2 + 1, alpha.shape[0] / self.sheet.scale / 2 + 1)
        self.sheet.box(x - half[0], y - half[1], x + half[0], y + half[1], 0, fill=(tone, tone, min(255, tone + 3)))

    def _signature(self, box: tuple[float, float], name: str) -> Alpha:
        rng = self.rng
        if self.real is not None and rng.random() < self.real_share:
            return self.real.draw(rng, box)
        return rasterise(signature(rng, signable(name), self.legibility), box, self.nib(), self._opacity())

    def nib(self) -> float:
        """Pen width in px: fine ballpoint 0.22 mm to felt 0.9 mm."""
        widths, chances = [0.22, 0.3, 0.4, 0.5, 0.65, 0.9], [0.1, 0.18, 0.27, 0.22, 0.14, 0.09]
        return float(self.fineness * self.sheet.scale * self.rng.choice(widths, p=chances))

    def _opacity(self) -> float:
        """Mostly full ink, one pen in five nearly dry."""
        return float(self.rng.uniform(0.4, 0.7) if self.rng.random() < 0.2 else self.rng.uniform(0.75, 1.0))

    def initial(self, x: float, y: float, name: str, height: float, colour: Colour | None = None) -> None:
        """Put a paraphe no higher than `height` around x, y; letters stay lower, only steep strokes grow tall.

        Some people initial with their whole signature, made small: where it stands makes initials of it.
        """
        if self.real is not None and self.rng.random() < self.real_share / 2:
            height = min(height, self.rng.uniform(5.0, 18.0))
            alpha = self.real.draw_initials(self.rng, (height * 2.2 * self.sheet.scale, height * self.sheet.scale))
            self._lay("initials", alpha, x, y, colour)
        else:
            self._paraphe("initials", x, y, name, height, colour)

    def initial_in_letters(self, x: float, y: float, name: str, height: float, colour: Colour | None = None) -> None:
        """Put the letters a name's parts begin with around x, y, written legibly, capitals `height` mm high."""
        parts = name.replace("-", " ").split()
        if self.rng.random() < 0.4:
            parts.insert(1, self.words.pick("first"))
        dot = "." if self.rng.random() < 0.15 else ""
        letters = "".join(signable(part[0]) + dot for part in parts)
        alpha = self._written(letters.lower() if self.rng.random() < 0.15 else letters, height / 1.8)
        if self.rng.random() < 0.4:
            alpha = turned(alpha, float(self.rng.normal(0, 8)))
        self._lay("initials", alpha, x, y, colour)

    def sign_briefly(self, x: float, y: float, name: str, height: float, colour: Colour | None = None) -> None:
        """Sign with a paraphe, as under a note to a colleague: where it stands makes a signature of it."""
        self._paraphe("signature", x, y, name, height, colour)

    def _paraphe(self, kind: Kind, x: float, y: float, name: str, height: float, colour: Colour | None) -> None:
        strokes = initials(self.rng, signable(name))
        wide, high = np.ptp(np.concatenate([stroke.points for stroke in strokes]), axis=0)
        if high <= 1.7 * wide:
            lowest, highest = (5.0, 10.0) if self.rng.random() < 0.5 else (9.0, 18.0)
            height = min(height, self.rng.uniform(lowest, highest))
        box = (height * 2.2 * self.sheet.scale, height * self.sheet.scale)
        alpha = rasterise(strokes, box, self.nib() * 0.9, self._opacity())
        self._lay(kind, alpha, x, y, colour)

    def handwrite(self, text: str, x: float, y: float, x_height: float = 2.2, colour: Colour | None = None) -> None:
        """Write `text` legibly, starting at x with its middle at y; half by the pen model, half in a hand font."""
        ink = colour or pen_colour(self.rng, self.blue)
        alpha = self._written(signable(text), x_height)
        if self.rng.random() < 0.25:
            alpha = turned(alpha, float(self.rng.normal(0, 4)))
        self.sheet.put("handwriting", Ink(alpha, ink), x, y, anchor=(0.0, 0.5))

    def _written(self, text: str, x_height: float) -> Alpha:
        size = x_height * self.sheet.scale
        if self.rng.random() < 0.5:
            hand = with_haste(neat_hand(self.rng), self.rng.uniform(0.9, 1.5))
            return rasterise_at(write(text, hand, self.rng), size, self.nib() * 0.9)
        font = face(str(self.rng.choice(HANDWRITING)), round(size * 2.6))
        mask = font.getmask(text, mode="L")
        width, height = mask.size
        tile = np.asarray(mask, np.uint8).reshape(height, width) if width and height else np.zeros((2, 2), np.uint8)
        return np.pad(tile, 1)

    def pen_mark(self, x: float, y: float, size: float) -> None:
        """A tick, cross, ring, bracket, underline or arrow about `size` mm wide with its left middle at x, y."""
        plan = PEN_MARKS[int(self.rng.integers(len(PEN_MARKS)))]
        stroke = draw(np.array(plan, float), neat_hand(self.rng), self.rng)
        stretch = np.array([1.0, 1.0 if size < 12 else 12.0 / size])
        stroke = Stroke(stroke.points * stretch, stroke.pressure)
        alpha = rasterise_at([stroke], size * self.sheet.scale / 3.0, self.nib())
        self.sheet.put("handwriting", Ink(alpha, pen_colour(self.rng, self.blue)), x, y, anchor=(0.0, 0.5))

    def round_stamp(
        self, x: float, y: float, diameter: float, colour: Colour | None = None, company: str | None = None
    ) -> None:
        """Company and town round a ring, a number or emblem within."""
        words, rng = self.words, self.rng
        if self._stamp_really(x, y, diameter, True, colour):
            return
        ring = f"{company or words.company()} * {words.pick('city')}".upper()
        middle = [[words.pick("city").upper()], [words.number(9)], [words.pick("form"), words.number(5)], []]
        squash = rng.uniform(0.55, 0.8) if rng.random() < 0.12 else 1.0
        alpha = round_stamp(rng, self.sheet.px(diameter), ring, middle[int(rng.integers(4))], squash)
        self._stamp(turned(alpha, float(rng.normal(0, 15))), x, y, colour)

    def company_stamp(
        self, x: float, y: float, width: float, colour: Colour | None = None, company: str | None = None
    ) -> None:
        """A block of name, address, telephone and number, as French companies use."""
        words = self.words
        if self._stamp_really(x, y, width, False, colour):
            return
        lines = [
            (company or words.company()).upper(),
            words.address(),
            f"Tel. {words.number(10)}",
            f"SIRET {words.number(14)}",
        ]
        count = int(self.rng.integers(2, 5))
        alpha = boxed_stamp(self.rng, self.sheet.px(width), lines[:count], self.rng.random() < 0.35)
        self._stamp(turned(alpha, float(self.rng.normal(0, 4))), x, y, colour)

    def word_stamp(self, x: float, y: float, width: float) -> None:
        """RECEIVED, PAYÉ, a date …"""
        if self._stamp_really(x, y, width, False, None):
            return
        lines = [self.words.pick("stampwords")]
        if self.rng.random() < 0.6:
            lines.append(self.words.date().upper())
        alpha = boxed_stamp(self.rng, self.sheet.px(width), lines, self.rng.random() < 0.6)
        self._stamp(turned(alpha, float(self.rng.normal(0, 8))), x, y, None)

    def _stamp_really(self, x: float, y: float, width: float, as_ring: bool, colour: Colour | None) -> bool:
        """Put a real stamp there, `width` mm wide and as lopsided as a hand holds it, where one is drawn."""
        fitting = [stamp for stamp in self.real.stamps if is_round(stamp) == as_ring] if self.real else []
        if not fitting or self.rng.random() >= REAL_STAMPS:
            return False
        stamp = fitting[int(self.rng.integers(len(fitting)))]
        alpha = turned(resized(stamp, self.sheet.px(width)), float(self.rng.normal(0, 15 if as_ring else 6)))
        own = stamp.colour if self.rng.random() < 0.5 else stamp_ink(self.rng)
        self._stamp(alpha, x, y, colour or own)
        return True

    def _stamp(self, alpha: Alpha, x: float, y: float, colour: Colour | None) -> None:
        self.sheet.put("stamp", Ink(alpha, colour or stamp_ink(self.rng)), x, y)
