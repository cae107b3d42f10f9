"""Pages to measure with, made from the sample documents: what an office scanner sends."""

import io
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

from PIL import Image

from shared.pages.limits import RenderLimits
from shared.pages.renderer import Renderer

SAMPLES = Path(__file__).resolve().parent.parent / "samples" / "documents"
_WIDTH = 1240  # A4 at 150 dpi


def small_scans(folder: Path, count: int) -> list[Path]:
    """``count`` one-page files, JPEG and bilevel G4 TIFF by turns, 150 dpi, tens to some hundred kB each."""
    pages = list(_sample_pages())
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for index, page in enumerate(islice(cycle(pages), count)):
        path = folder / (f"scan-{index:04}.jpg" if index % 2 == 0 else f"scan-{index:04}.tif")
        path.write_bytes(_jpeg(page) if path.suffix == ".jpg" else _g4(page))
        paths.append(path)
    return paths


def _sample_pages() -> Iterator[Image.Image]:
    limits = RenderLimits()
    with Renderer(1) as renderer:
        for path in sorted(path for path in SAMPLES.iterdir() if path.suffix != ".json"):
            for number in range(1, renderer.count_pages(path, limits) + 1):
                yield Image.fromarray(renderer.picture(path, number, _WIDTH, limits).raster)


def _jpeg(page: Image.Image) -> bytes:
    target = io.BytesIO()
    page.save(target, "JPEG", quality=80)
    return target.getvalue()


def _g4(page: Image.Image) -> bytes:
    target = io.BytesIO()
    page.convert("L").point(lambda value: 255 if value > 160 else 0).convert("1").save(
        target, "TIFF", compression="group4", dpi=(150, 150)
    )
    return target.getvalue()
