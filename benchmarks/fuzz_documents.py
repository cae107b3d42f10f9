"""Damaged documents by the thousand through the renderer: each must give pages or a code, and harm nobody.

    python -m benchmarks.fuzz_documents --count 5000 --seed 1 --keep DIR

The exit status is 1 when a document got no code, or the renderer did not work afterwards. Documents that crashed or
hung a child (which is survived) are counted, and kept with ``--keep``.
"""

from __future__ import annotations

import argparse
import io
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from shared.domain.errors import DocumentError, ErrorCode
from shared.domain.fit import Fit
from shared.pages.limits import RenderLimits
from shared.pages.renderer import Renderer

SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "documents"
LIMITS = RenderLimits(
    max_pages=20, max_page_pixels=20_000_000, seconds=10, seconds_per_page=5, memory_bytes=512 * 1024**2, pdf_dpi=72
)
_FIT = Fit(320, 320)
_SEED_SIDE = 400
_HARMFUL = (ErrorCode.RENDER_CRASH, ErrorCode.RENDER_TIMEOUT, ErrorCode.RENDER_MEMORY)
_EXTREMES = (
    b"\x00",
    b"\xff",
    b"\x7f\xff",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x80\x00\x00\x00",
    b"99999999999",
)


@dataclass(frozen=True)
class Outcome:
    """What became of one damaged document: ``pages``, an error code, or the name of an exception that is a fault."""

    name: str
    result: str
    is_fault: bool
    seconds: float


def seed_documents() -> dict[str, bytes]:
    """Sound documents to damage: the samples' PDFs as they are, and small pictures in every form we accept."""
    seeds = {path.name: path.read_bytes() for path in sorted(SAMPLES.glob("*.pdf"))}
    with Image.open(next(iter(sorted(SAMPLES.glob("*.png"))))) as sample:
        page = sample.convert("RGB")
    page.thumbnail((_SEED_SIDE, _SEED_SIDE))
    grey, bilevel = page.convert("L"), page.convert("1")
    more = {"save_all": True, "append_images": [grey, page]}
    forms: dict[str, tuple[Image.Image, str, dict[str, object]]] = {
        "rgb.png": (page, "PNG", {}),
        "alpha.png": (page.convert("RGBA"), "PNG", {}),
        "palette.png": (page.convert("P"), "PNG", {}),
        "bilevel.png": (bilevel, "PNG", {}),
        "deep.png": (grey.convert("I;16"), "PNG", {}),
        "rgb.jpg": (page, "JPEG", {}),
        "progressive.jpg": (page, "JPEG", {"progressive": True}),
        "cmyk.jpg": (page.convert("CMYK"), "JPEG", {}),
        "lossy.webp": (page, "WEBP", {}),
        "lossless.webp": (page, "WEBP", {"lossless": True}),
        "animated.webp": (page, "WEBP", more),
        "fax.tif": (bilevel, "TIFF", {"compression": "group4"}),
        "lzw.tif": (page, "TIFF", {"compression": "tiff_lzw"}),
        "jpeg.tif": (page, "TIFF", {"compression": "jpeg"}),
        "pages.tif": (page, "TIFF", {"compression": "tiff_deflate"} | more),
        "pictures.pdf": (page, "PDF", more),
    }
    return seeds | {name: _saved(*form) for name, form in forms.items()}


def _saved(image: Image.Image, form: str, options: dict[str, object]) -> bytes:
    content = io.BytesIO()
    image.save(content, form, **options)
    return content.getvalue()


def mutants(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """``count`` damaged documents with names that say how they came about; the same for the same seed."""
    seeds = seed_documents()
    chance = random.Random(seed)  # noqa: S311
    for number in range(count):
        name = chance.choice(sorted(seeds))
        content = bytearray(seeds[name])
        done = [chance.choice(_MUTATIONS) for _ in range(chance.choice((1, 1, 1, 2, 4)))]
        for mutate in done:
            mutate(content, chance)
        yield f"{number:05}-{'-'.join(mutate.__name__.strip('_') for mutate in done)}-{name}", bytes(content)


def _place(content: bytearray, chance: random.Random) -> int:
    """Anywhere, but often near the start, where headers are."""
    return chance.randrange(min(len(content), chance.choice((64, 512, len(content)))) or 1)


def _flip(content: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 20)):
        position = _place(content, chance)
        content[position : position + 1] = bytes([chance.randrange(256)])


def _extreme(content: bytearray, chance: random.Random) -> None:
    value = chance.choice(_EXTREMES)
    position = _place(content, chance)
    content[position : position + len(value)] = value


def _cut(content: bytearray, chance: random.Random) -> None:
    del content[_place(content, chance) :]


def _drop(content: bytearray, chance: random.Random) -> None:
    start = _place(content, chance)
    del content[start : start + chance.randint(1, 300)]


def _repeat(content: bytearray, chance: random.Random) -> None:
    start = _place(content, chance)
    content[start:start] = content[start : start + chance.randint(1, 300)] * chance.randint(1, 20)


def _noise(content: bytearray, chance: random.Random) -> None:
    start = _place(content, chance)
    content[start : start + 100] = chance.randbytes(chance.randint(1, 200))


def _digits(content: bytearray, chance: random.Random) -> None:
    """Numbers are what PDFs are steered by."""
    places = [index for index, byte in enumerate(content) if 48 <= byte <= 57]
    for index in chance.sample(places, min(len(places), 4)):
        content[index] = chance.randrange(48, 58)


_MUTATIONS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    _flip,
    _extreme,
    _cut,
    _drop,
    _repeat,
    _noise,
    _digits,
)


def try_document(renderer: Renderer, name: str, path: Path) -> Outcome:
    """Render a document to its end and say what came of it."""
    started = time.perf_counter()
    fault = False
    try:
        for page in renderer.pages(path, _FIT, LIMITS):
            if max(page.raster.shape[:2]) != _FIT.height:
                raise AssertionError(f"raster of shape {page.raster.shape}")
        result = "pages"
    except DocumentError as error:
        result = error.code.value
    except Exception as error:
        result, fault = f"{type(error).__name__}: {error}", True
    return Outcome(name, result, fault, time.perf_counter() - started)


def fuzz(count: int, seed: int, processes: int, keep: Path | None = None) -> list[Outcome]:
    """Render ``count`` mutants on ``processes`` children at once."""
    with TemporaryDirectory() as folder, Renderer(processes) as renderer, ThreadPoolExecutor(processes) as threads:

        def attempt(mutant: tuple[str, bytes]) -> Outcome:
            path = Path(folder) / mutant[0]
            path.write_bytes(mutant[1])
            outcome = try_document(renderer, mutant[0], path)
            if keep and (outcome.is_fault or outcome.result in _HARMFUL):
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{outcome.result[:20]}-{mutant[0]}").write_bytes(mutant[1])
            path.unlink()
            return outcome

        outcomes = list(threads.map(attempt, mutants(count, seed)))
        sound = Path(folder) / "sound"
        sound.write_bytes(seed_documents()["rgb.png"])
        last = try_document(renderer, "a sound page afterwards", sound)
    return [*outcomes, Outcome(last.name, last.result, last.result != "pages", last.seconds)]


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz_documents", description=__doc__)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    outcomes = fuzz(options.count, options.seed, options.processes, options.keep)
    for result, number in Counter(outcome.result[:100] for outcome in outcomes).most_common():
        print(f"{number:7}  {result}")
    slowest = max(outcomes, key=lambda outcome: outcome.seconds)
    print(f"slowest: {slowest.seconds:.2f} s {slowest.name} ({slowest.result[:60]})")
    faults = [outcome for outcome in outcomes if outcome.is_fault]
    for outcome in faults:
        print(f"FAULT {outcome.name}: {outcome.result}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
