"""Single marks of age, copying and capture; each takes a raster and returns one of the same size."""

import cv2
import numpy as np
from numpy.typing import NDArray

from services.trainer.synthesis.sheet import Pixels

Rng = np.random.Generator
Grey = NDArray[np.uint8]


def grey(pixels: Pixels) -> Grey:
    """One channel (h, w) of an RGB page."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def as_colour(page: Grey) -> Pixels:
    """A grey page (h, w) as an RGB one (h, w, 3)."""
    return np.repeat(page[..., None], 3, axis=2)


def _smooth_field(shape: tuple[int, ...], rng: Rng, cells: int) -> NDArray[np.float32]:
    """Slowly varying noise around 0, one value a pixel."""
    coarse = rng.normal(0, 1, (cells, cells)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), np.float32)


def _tile_noise(shape: tuple[int, ...], rng: Rng, side: int = 256) -> NDArray[np.int8]:
    """Pixel noise, drawn once for a tile and repeated at random offsets: twenty times quicker, as good to the eye."""
    tile = np.clip(rng.normal(0, 32, (side, side)), -127, 127).astype(np.int8)
    rows, columns = -(-shape[0] // side) + 1, -(-shape[1] // side) + 1
    dy, dx = rng.integers(0, side, 2)
    return np.tile(tile, (rows, columns))[dy : dy + shape[0], dx : dx + shape[1]]


def _added(pixels: Pixels, change: NDArray[np.int16]) -> Pixels:
    if pixels.ndim == 3:
        change = np.repeat(change[..., None], 3, axis=2)
    return np.asarray(cv2.add(pixels, change, dtype=cv2.CV_8U), np.uint8)


def grain(pixels: Pixels, rng: Rng, strength: float) -> Pixels:
    """Sensor noise of that many grey levels."""
    noise = (_tile_noise(pixels.shape, rng).astype(np.float32) * (strength / 32)).astype(np.int16)
    return _added(pixels, noise)


def blurred(pixels: Pixels, rng: Rng, most: float) -> Pixels:
    """Soften by up to `most` px."""
    sigma = float(rng.uniform(0.0, most))
    if sigma < 0.3:
        return pixels
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)


def toned(pixels: Pixels, rng: Rng) -> Pixels:
    """Contrast and brightness as scanner defaults make them, by one look-up table."""
    low, high = rng.uniform(0, 60), rng.uniform(215, 275)
    gamma = rng.uniform(0.75, 1.35)
    levels = np.linspace(0, 1, 256) ** gamma * (high - low) + low
    return np.asarray(cv2.LUT(pixels, np.clip(levels, 0, 255).astype(np.uint8)), np.uint8)


def tinted(pixels: Pixels, colour: tuple[int, int, int]) -> Pixels:
    """Print the page on paper of that colour."""
    tables = np.stack([np.arange(256) * part / 255 for part in colour], 1).astype(np.uint8)
    return np.asarray(cv2.LUT(pixels, tables[None]), np.uint8)


def worn_paper(pixels: Pixels, rng: Rng) -> Pixels:
    """With some chance each: coloured paper, folds, bleed-through, smudges, punch holes."""
    if rng.random() < 0.2:
        paper = np.array(_PAPERS[int(rng.integers(len(_PAPERS)))]) + rng.integers(-6, 7, 3)
        red, green, blue = (int(value) for value in np.clip(paper, 120, 255))
        pixels = tinted(pixels, (red, green, blue))
    if rng.random() < 0.12:
        pixels = bleed_through(pixels, rng)
    if rng.random() < 0.15:
        pixels = folded(pixels, rng)
    if rng.random() < 0.12:
        pixels = smudged(pixels, rng)
    return punch_holes(pixels, rng) if rng.random() < 0.15 else pixels


_PAPERS = (
    (250, 246, 228),
    (244, 232, 200),
    (226, 240, 226),
    (250, 228, 232),
    (226, 236, 250),
    (252, 246, 190),
    (222, 205, 172),
    (190, 170, 130),
)


def bleed_through(pixels: Pixels, rng: Rng) -> Pixels:
    """The back of the sheet shines through, mirrored and faint."""
    back = cv2.GaussianBlur(np.ascontiguousarray(np.roll(pixels, int(rng.integers(60, 300)), 0)[:, ::-1]), (0, 0), 2.0)
    share = float(rng.uniform(0.05, 0.16))
    shine = cv2.addWeighted(back, share, np.full_like(back, 255), 1 - share, 0)
    return np.asarray(cv2.multiply(pixels, shine, scale=1 / 255), np.uint8)


def folded(pixels: Pixels, rng: Rng) -> Pixels:
    """One or two folds across: a dark hairline beside a light one, each half shaded differently."""
    shade = np.zeros(pixels.shape[0], np.float32)
    for place in rng.uniform(0.25, 0.75, int(rng.integers(1, 3))):
        row = int(place * pixels.shape[0])
        shade[row:] += rng.normal(0, 4)
        shade[row : row + 2] -= rng.uniform(10, 60)
        shade[row + 2 : row + 4] += rng.uniform(5, 25)
    change = np.repeat(shade.astype(np.int16)[:, None], pixels.shape[1], axis=1)
    return _added(pixels, change)


def smudged(pixels: Pixels, rng: Rng) -> Pixels:
    """Finger marks, coffee rings, toner dirt."""
    height, width = pixels.shape[:2]
    layer = np.full((height, width), 255, np.uint8)
    for _ in range(int(rng.integers(1, 5))):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        axes = (int(rng.integers(8, width // 8)), int(rng.integers(8, width // 8)))
        thickness = -1 if rng.random() < 0.5 else int(rng.integers(2, 7))
        cv2.ellipse(layer, centre, axes, float(rng.uniform(0, 180)), 0, 360, int(rng.integers(190, 245)), thickness)
    soft = cv2.GaussianBlur(layer, (0, 0), float(rng.uniform(2, 9)))
    return np.asarray(cv2.multiply(pixels, cv2.merge([soft, soft, soft]), scale=1 / 255), np.uint8)


def punch_holes(pixels: Pixels, rng: Rng) -> Pixels:
    """Two or three binder holes at the left or top edge, seen black or grey."""
    punched = pixels.copy()
    height, width = punched.shape[:2]
    radius = int(width * rng.uniform(0.010, 0.017))
    offset = int(width * rng.uniform(0.02, 0.045))
    tone = int(rng.choice([0, 10, 60, 150, 215]))
    count = int(rng.integers(2, 4))
    at_left = rng.random() < 0.85
    for place in np.linspace(0.5 - 0.14 * count, 0.5 + 0.14 * count, count) + rng.normal(0, 0.02):
        centre = (offset, int(height * place)) if at_left else (int(width * place), offset)
        cv2.circle(punched, centre, radius, (tone, tone, tone), -1, cv2.LINE_AA)
    return punched


def edge_shadow(pixels: Pixels, rng: Rng) -> Pixels:
    """The gutter of a bound volume or a lid not closed: one edge darkens."""
    width = pixels.shape[1]
    reach = rng.uniform(0.01, 0.08) * width
    fall = np.exp(-np.arange(width) / reach) * rng.uniform(40, 200)
    if rng.random() < 0.5:
        fall = fall[::-1]
    return _added(pixels, np.repeat(-fall.astype(np.int16)[None], pixels.shape[0], axis=0))


def low_resolution(pixels: Pixels, rng: Rng) -> Pixels:
    """Scanned or sent too small: detail lost, size kept."""
    height, width = pixels.shape[:2]
    share = float(rng.uniform(0.4, 0.75))
    small = cv2.resize(pixels, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def lit(pixels: Pixels, rng: Rng) -> Pixels:
    """A lamp to one side, the photographer's shadow, a colour cast."""
    height, width = pixels.shape[:2]
    field = 1.0 + 0.10 * _smooth_field(pixels.shape, rng, 3)
    angle = rng.uniform(0, 2 * np.pi)
    ramp_x = np.linspace(-1, 1, width, dtype=np.float32)[None] * np.float32(np.cos(angle))
    ramp_y = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * np.float32(np.sin(angle))
    field += np.float32(rng.uniform(0, 0.22)) * (ramp_x + ramp_y) - np.float32(rng.uniform(0.0, 0.2))
    light = np.clip(field * 200, 40, 255).astype(np.uint8)
    shaded = cv2.multiply(pixels, cv2.merge([light, light, light]), scale=1 / 200)
    cast = np.clip(rng.normal(245, 10, 3), 205, 255)
    return tinted(np.asarray(shaded, np.uint8), (int(cast[0]), int(cast[1]), int(cast[2])))


def copied(ink: Grey, rng: Rng) -> Grey:
    """A photocopy of a photocopy: strokes thicken or thin, edges roughen."""
    if rng.random() < 0.15:
        ink = np.asarray(cv2.erode(ink, np.ones((2, 2), np.uint8)), np.uint8)
    sigma = float(rng.uniform(0.4, 1.1))
    soft = np.asarray(cv2.GaussianBlur(ink, (0, 0), sigma), np.uint8)
    return grain(soft, rng, float(rng.choice([4, 10, 18, 30], p=[0.35, 0.35, 0.2, 0.1])))


def bilevel(ink: Grey, rng: Rng, oddity: float = 1.0) -> Grey:
    """Black and white at a threshold set right or, the odder the more, too low or high; specks as of dirty glass."""
    threshold = float(np.clip(rng.normal(172, 24 * oddity), 120, 225))
    black = np.asarray(cv2.threshold(ink, threshold, 255, cv2.THRESH_BINARY)[1], np.uint8)
    return specks(black, rng, oddity)


def specks(black: Grey, rng: Rng, dirt: float = 1.0) -> Grey:
    """Isolated black dots, evenly or in a dirty corner."""
    height, width = black.shape
    count = int(10 ** (rng.uniform(0.5, 3.9) * dirt))
    x = rng.integers(0, width, count)
    y = rng.integers(0, height, count)
    if rng.random() < 0.4:
        x = np.clip(rng.normal(rng.uniform(0, width), width / 5, count), 0, width - 2).astype(int)
    black[y, x] = 0
    heavy = rng.random(count) < 0.25
    black[np.clip(y[heavy] + 1, 0, height - 1), x[heavy]] = 0
    black[y[heavy], np.clip(x[heavy] + 1, 0, width - 1)] = 0
    return black


def black_edges(black: Grey, rng: Rng) -> Grey:
    """The scanner bed around the page: black bars or thin lines along some edges."""
    width = black.shape[1]
    for edge in range(4):
        kind = rng.random()
        if kind < 0.55:
            continue
        depth = int(width * (rng.uniform(0.005, 0.05) if kind < 0.8 else rng.uniform(0.002, 0.006)))
        inset = 0 if kind < 0.8 else int(width * rng.uniform(0.01, 0.04))
        band = slice(inset, inset + depth)
        flipped = black[:, ::-1] if edge == 1 else black[::-1] if edge == 2 else black
        target = flipped[:, band] if edge < 2 else flipped[band]
        target[:] = 0
    return black


def fax_streaks(black: Grey, rng: Rng) -> Grey:
    """Lines lost in transmission: white or black, short or across the page."""
    height, width = black.shape
    for _ in range(int(rng.integers(0, 9))):
        row, start = int(rng.integers(height)), int(rng.integers(width))
        end = width if rng.random() < 0.3 else min(width, start + int(rng.integers(20, width // 2)))
        black[row : row + int(rng.integers(1, 3)), start:end] = 0 if rng.random() < 0.5 else 255
    for _ in range(int(rng.integers(0, 3))):
        column = int(rng.integers(width))
        black[:, column : column + int(rng.integers(1, 3))] = 0
    return black
