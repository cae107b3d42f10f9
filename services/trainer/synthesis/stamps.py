"""Rubber stamps, seals and logos: round and oval company stamps, boxed date stamps, printed emblems."""

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from services.trainer.synthesis.faces import SANS, SERIF, face, face_for
from services.trainer.synthesis.figures import figure, star
from services.trainer.synthesis.ink import Alpha, Colour

Rng = np.random.Generator

STAMP_INKS: tuple[Colour, ...] = (
    (40, 60, 170),
    (60, 80, 190),
    (70, 60, 160),
    (30, 50, 130),
    (190, 40, 50),
    (120, 50, 140),
    (40, 40, 45),
    (30, 110, 90),
    (90, 110, 200),
)


def stamp_ink(rng: Rng, blue: float = 0.6) -> Colour:
    """Blue with the chance given, else any colour stamp pads are sold in; jittered."""
    pool = STAMP_INKS[:4] if rng.random() < blue else STAMP_INKS
    base = np.array(pool[int(rng.integers(len(pool)))]) + rng.integers(-20, 30, 3)
    red, green, blue_ = (int(value) for value in np.clip(base, 0, 225))
    return red, green, blue_


def round_stamp(rng: Rng, diameter: int, ring_text: str, centre_lines: list[str], squash: float = 1.0) -> Alpha:
    """A company stamp: rings, words bent along them, lines or an emblem in the middle; (h, w) alpha."""
    size = max(diameter * 2, 60)
    image = Image.new("L", (size, size), 0)
    pen = ImageDraw.Draw(image)
    thick = max(2, round(size * rng.uniform(0.008, 0.02)))
    outer = size / 2 - 2
    pen.ellipse([2, 2, size - 3, size - 3], outline=255, width=thick)
    if rng.random() < 0.4:
        _ring(pen, size, outer - 2.2 * thick, max(1, thick // 2))
    inner = outer * rng.uniform(0.58, 0.72)
    if rng.random() < 0.8:
        _ring(pen, size, inner, max(1, thick // 2))
    letter = max(7, round((outer - inner) * rng.uniform(0.55, 0.75)))
    _text_on_ring(
        image,
        ring_text,
        (outer + inner) / 2 - 0.5 * thick,
        face(face_for(ring_text, SANS), letter, bold=rng.random() < 0.7),
        rng,
    )
    _centre(pen, centre_lines, size, inner, rng)
    stamp = np.asarray(image.resize((diameter, max(8, round(diameter * squash))), Image.Resampling.BOX))
    return _worn(np.array(stamp), rng)


def _ring(pen: ImageDraw.ImageDraw, size: int, radius: float, width: int) -> None:
    pen.ellipse([size / 2 - radius, size / 2 - radius, size / 2 + radius, size / 2 + radius], outline=255, width=width)


def _text_on_ring(image: Image.Image, text: str, radius: float, font: ImageFont.FreeTypeFont, rng: Rng) -> None:
    """Set letters one by one round the ring, upright seen from outside, as much as fits."""
    centre = image.width / 2
    angle = -np.pi / 2 - font.getlength(text) / radius / 2 if rng.random() < 0.4 else rng.uniform(-np.pi, 0)
    end = angle + 2 * np.pi * 0.97
    line = text if rng.random() < 0.5 else f"{text} * {text} *"
    for char in line:
        advance = (font.getlength(char) + 1) / radius
        if angle + advance > end:
            return
        middle = angle + advance / 2
        x, y = centre + radius * np.cos(middle), centre + radius * np.sin(middle)
        _letter_at(image, char, font, (x, y), 90 + np.degrees(middle))
        angle += advance


def _letter_at(
    image: Image.Image, char: str, font: ImageFont.FreeTypeFont, at: tuple[float, float], turn: float
) -> None:
    side = round(font.size * 2)
    tile = Image.new("L", (side, side), 0)
    ImageDraw.Draw(tile).text((side / 2, side / 2), char, font=font, fill=255, anchor="mm")
    turned = tile.rotate(-turn, Image.Resampling.BILINEAR)
    image.paste(255, (round(at[0] - side / 2), round(at[1] - side / 2)), turned)


def _centre(pen: ImageDraw.ImageDraw, lines: list[str], size: int, inner: float, rng: Rng) -> None:
    if not lines or rng.random() < 0.3:
        _emblem(pen, size / 2, inner, rng)
        return
    height = inner * 1.1 / max(len(lines), 2)
    for number, line in enumerate(lines):
        font = face(face_for(line, SANS), round(min(height, inner * 2.6 / max(len(line), 1))), bold=True)
        y = size / 2 + (number - (len(lines) - 1) / 2) * height
        pen.text((size / 2, y), line, font=font, fill=255, anchor="mm")


def _emblem(pen: ImageDraw.ImageDraw, centre: float, inner: float, rng: Rng) -> None:
    """A star, or the figure of a state, a university or a guild drawn in line."""
    if rng.random() < 0.3:
        corners = star(inner * rng.uniform(0.4, 0.8))[:-1] + centre
        pen.polygon([(a, b) for a, b in corners.tolist()], fill=255)
        return
    width = max(2, round(inner * rng.uniform(0.015, 0.05)))
    reach = inner * rng.uniform(0.6, 0.95)
    for line in figure(rng):
        pen.line([(centre + a * reach, centre + b * reach) for a, b in line.tolist()], fill=255, width=width)


def boxed_stamp(rng: Rng, width: int, lines: list[str], framed: bool) -> Alpha:
    """A rectangular stamp: address block, date stamp or a single framed word; (h, w) alpha."""
    longest = max(lines, key=len)
    name = face_for("".join(lines), SANS if rng.random() < 0.7 else SERIF)
    font = face(name, max(8, round(width * 2 * 0.9 / max(len(longest), 4) / 0.56)), bold=True)
    small = face(name, max(7, round(font.size * rng.uniform(0.6, 0.9))))
    pitch = round(font.size * 1.15)
    image = Image.new("L", (round(font.getlength(longest)) + pitch, pitch * len(lines) + pitch // 2), 0)
    pen = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        at = (image.width / 2, pitch * (number + 0.75))
        pen.text(at, line, font=font if number == 0 else small, fill=255, anchor="mm")
    if framed:
        pen.rectangle([1, 1, image.width - 2, image.height - 2], outline=255, width=max(2, round(font.size / 10)))
    height = max(8, round(image.height * width / image.width))
    return _worn(np.array(image.resize((width, height), Image.Resampling.BOX)), rng)


def turned(alpha: Alpha, degrees: float) -> Alpha:
    """Rotate a patch, growing it so that nothing is cut."""
    image = Image.fromarray(alpha).rotate(degrees, Image.Resampling.BILINEAR, expand=True)
    return np.array(image)


def _worn(alpha: Alpha, rng: Rng) -> Alpha:
    """Uneven ink: patches print weakly, as a hand-held stamp does."""
    strength = rng.uniform(0.55, 1.0)
    coarse = rng.normal(1.0, rng.uniform(0.02, 0.35), (6, 6)).astype(np.float32)
    patches = cv2.resize(coarse, (alpha.shape[1], alpha.shape[0]), interpolation=cv2.INTER_CUBIC)
    grain = cv2.resize(
        rng.normal(1.0, rng.uniform(0.0, 0.3), (alpha.shape[0] // 2 + 1, alpha.shape[1] // 2 + 1)).astype(np.float32),
        (alpha.shape[1], alpha.shape[0]),
    )
    return np.asarray(np.clip(alpha * np.clip(patches * grain * strength, 0.0, 1.0), 0, 255), np.uint8)
