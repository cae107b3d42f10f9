"""From a clean page to what a scanner, fax or phone makes of it; outlines move along with every bend of the page."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from services.trainer.synthesis import wear
from services.trainer.synthesis.sheet import Outline, Pixels

Rng = np.random.Generator
Page = tuple[Pixels, list[Outline]]
Scanner = Callable[[Pixels, list[Outline], Rng], Page]
Matrix = NDArray[np.float64]

TABLES = (
    (120, 85, 55),
    (165, 130, 95),
    (70, 55, 45),
    (200, 195, 190),
    (150, 150, 150),
    (60, 62, 66),
    (25, 25, 28),
    (235, 235, 232),
    (110, 120, 130),
)
"""What a page lies on when it is photographed: wood, cloth, metal, a white desk."""


def warped(pixels: Pixels, outlines: list[Outline], matrix: Matrix, fill: tuple[int, int, int]) -> Page:
    """Apply a homography (3, 3) to the page and to every outline; the canvas keeps its size."""
    height, width = pixels.shape[:2]
    moved = cv2.warpPerspective(
        pixels, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=fill
    )

    def carry(points: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.perspectiveTransform(points[None], matrix)[0], np.float32)

    return np.asarray(moved, np.uint8), [mark.moved(carry) for mark in outlines]


def skew_matrix(shape: tuple[int, ...], degrees: float, zoom: float, shift: tuple[float, float]) -> Matrix:
    """Turn about the page's middle, enlarge, move by `shift` px: as a homography (3, 3)."""
    height, width = shape[:2]
    matrix = np.eye(3)
    matrix[:2] = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, zoom)
    matrix[:2, 2] += shift
    return matrix


def _laid_askew(pixels: Pixels, outlines: list[Outline], rng: Rng, fill: tuple[int, int, int]) -> Page:
    shift = (float(rng.normal(0, 6)), float(rng.normal(0, 6)))
    matrix = skew_matrix(pixels.shape, _tilt(rng), float(rng.uniform(0.94, 1.01)), shift)
    return warped(pixels, outlines, matrix, fill)


def _tilt(rng: Rng) -> float:
    """By how many degrees a sheet lies askew: hardly, or as a feeder pulls it and a hurried hand lays it."""
    if rng.random() < 0.72:
        return float(rng.normal(0, 0.8))
    most = 4 if rng.random() < 0.5 else 13
    return float(rng.uniform(-most, most))


def born_digital(pixels: Pixels, outlines: list[Outline], _rng: Rng) -> Page:
    """Exported from office software or an e-signing tool: untouched."""
    return pixels, outlines


def office_scan(pixels: Pixels, outlines: list[Outline], rng: Rng) -> Page:
    """A flatbed or copier's colour or grey scan."""
    pixels = wear.worn_paper(pixels, rng)
    if rng.random() < 0.85:
        lid = 0 if rng.random() < 0.15 else int(rng.integers(225, 256))
        pixels, outlines = _laid_askew(pixels, outlines, rng, (lid, lid, lid))
    if rng.random() < 0.5:
        pixels = wear.as_colour(wear.grey(pixels))
    pixels = wear.blurred(pixels, rng, 0.9)
    pixels = wear.toned(pixels, rng)
    if rng.random() < 0.12:
        pixels = wear.lit(pixels, rng)
    if rng.random() < 0.35:
        pixels = wear.edge_shadow(pixels, rng)
    if rng.random() < 0.6:
        pixels = wear.grain(pixels, rng, rng.uniform(1, 7))
    return (wear.low_resolution(pixels, rng) if rng.random() < 0.2 else pixels), outlines


def phone_photo(pixels: Pixels, outlines: list[Outline], rng: Rng) -> Page:
    """A photograph of the page: perspective, held askew, uneven light, a table around it, colour cast, noise."""
    table = TABLES[int(rng.integers(len(TABLES)))]
    pixels, outlines = warped(wear.worn_paper(pixels, rng), outlines, _hand_held(pixels.shape, rng), table)
    pixels = wear.lit(pixels, rng)
    pixels = wear.blurred(pixels, rng, 1.3)
    return wear.grain(pixels, rng, rng.uniform(2, 9)), outlines


def _hand_held(shape: tuple[int, ...], rng: Rng) -> Matrix:
    """A page seen by a hand-held camera: each corner drawn in by itself, the whole turned and further or nearer."""
    height, width = shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    inset = rng.uniform(0.0, 0.1, (4, 2)) * [width, height] * [[1, 1], [-1, 1], [-1, -1], [1, -1]]
    seen = np.asarray(cv2.getPerspectiveTransform(corners, (corners + inset).astype(np.float32)), np.float64)
    degrees = float(rng.normal(0, 2)) if rng.random() < 0.5 else float(rng.uniform(-14, 14))
    return skew_matrix(shape, degrees, float(rng.uniform(0.75, 1.02)), (0.0, 0.0)) @ seen


def archive_scan(pixels: Pixels, outlines: list[Outline], rng: Rng) -> Page:
    """A bilevel scan out of a litigation archive: odd threshold, specks, black edges, punch holes."""
    return _black_and_white(pixels, outlines, rng, oddity=1.0)


def _black_and_white(pixels: Pixels, outlines: list[Outline], rng: Rng, oddity: float) -> Page:
    if rng.random() < 0.85:
        pixels, outlines = _laid_askew(pixels, outlines, rng, (255, 255, 255))
    if rng.random() < 0.45 * oddity:
        pixels = wear.punch_holes(pixels, rng)
    ink = wear.copied(wear.grey(pixels), rng)
    factor = float(rng.uniform(1.15, 1.7))
    enlarged = cv2.resize(ink, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
    black = wear.bilevel(np.asarray(enlarged, np.uint8), rng, oddity)
    if rng.random() < 0.3 + 0.7 * oddity:
        black = wear.black_edges(black, rng)
    return black, [mark.moved(lambda points: points * np.float32(factor)) for mark in outlines]


def fax(pixels: Pixels, outlines: list[Outline], rng: Rng) -> Page:
    """A fax: half the vertical resolution, ragged letters, streaks, a header line."""
    pixels, outlines = _laid_askew(pixels, outlines, rng, (255, 255, 255))
    height, width = pixels.shape[:2]
    ink = wear.copied(wear.grey(pixels), rng)
    coarse = cv2.resize(ink, (width, round(height * rng.uniform(0.5, 0.75))), interpolation=cv2.INTER_AREA)
    black = wear.bilevel(np.asarray(coarse, np.uint8), rng)
    black = wear.fax_streaks(black, rng)
    return np.asarray(cv2.resize(black, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8), outlines


def photocopy(pixels: Pixels, outlines: list[Outline], rng: Rng) -> Page:
    """A black-and-white scan that was reduced afterwards: hard letters with grey edges, dirt, black borders."""
    copied, carried = _black_and_white(pixels, outlines, rng, oddity=0.5)
    height, width = pixels.shape[:2]
    back = np.float32(width / copied.shape[1])
    reduced = np.asarray(cv2.resize(copied, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return wear.as_colour(reduced), [mark.moved(lambda points: points * back) for mark in carried]
