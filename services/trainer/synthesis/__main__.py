"""`python -m services.trainer.synthesis --pages 2000 --seed 1 --out DIR`: write a folder of labelled pages."""

import argparse
import time
from pathlib import Path

from services.trainer.dataset import DatasetError, LabelledPage
from services.trainer.packing import HELD_OUT_SHARE
from services.trainer.synthesis.crops import real_ink
from services.trainer.synthesis.recipes import RECIPES
from services.trainer.synthesis.resigning import pages_to_sign
from services.trainer.synthesis.writing_out import Series, write_pages
from shared.processor import usable_cores


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, write the pages, say how fast."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.resign and not (options.papers or options.crops):
        parser.error("--resign takes its pages from --papers or --crops: name a folder of labelled pages there")
    if options.papers and not options.resign:
        parser.error("--papers are pages to sign: say --resign")
    try:
        real = real_ink(options.crops, held_out=options.held_out) if options.crops else None
        resigned = _to_sign(options) if options.resign else ()
    except DatasetError as error:
        raise SystemExit(str(error)) from error
    recipes = tuple(recipe for recipe in RECIPES if not options.only or recipe.name in options.only)
    series = Series(
        options.seed,
        options.out,
        long_side=options.long_side,
        all_kinds=options.all_kinds,
        real=real,
        recipes=recipes,
        resigned=resigned,
        close_ups=options.close_ups,
        on_glass=options.on_glass,
    )
    started = time.monotonic()
    for done in write_pages(series, options.first, options.pages, options.processes):
        if done % 100 == 0 or done == options.pages:
            print(f"{done}/{options.pages} pages, {done / (time.monotonic() - started):.1f} a second", flush=True)


def _to_sign(options: argparse.Namespace) -> tuple[LabelledPage, ...]:
    """The pages that are signed anew; of papers training holds none out, for they are no part of its data."""
    return pages_to_sign(options.papers, 0.0) if options.papers else pages_to_sign(options.crops, options.held_out)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="services.trainer.synthesis", description=__doc__)
    parser.add_argument("--pages", type=int, required=True, help="how many pages")
    parser.add_argument("--seed", type=int, default=1, help="the series; same seed, same pages")
    parser.add_argument("--first", type=int, default=0, help="number of the first page, to continue a series")
    parser.add_argument("--out", type=Path, required=True, help="folder to write; made when missing")
    parser.add_argument("--crops", type=Path, help="signature data whose train split lends real signatures")
    parser.add_argument(
        "--held-out",
        type=float,
        default=HELD_OUT_SHARE,
        help="share of its groups that lend none, as in the training to come",
    )
    parser.add_argument(
        "--resign",
        action="store_true",
        help="pages of that train split with other signatures, instead of drawn pages; labelled for signatures only",
    )
    parser.add_argument(
        "--papers",
        type=Path,
        help="with --resign: take the pages from this data's train split, not from that of --crops",
    )
    parser.add_argument(
        "--close-ups",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="share of pages of which only a part is shown, as if it alone had been photographed (default: none)",
    )
    parser.add_argument(
        "--on-glass",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="share of scans that show two papers, or a small one, as on a scanner's glass (default: none)",
    )
    parser.add_argument("--long-side", type=int, default=1280, help="px of the longer side before scanning")
    parser.add_argument(
        "--all-kinds", action="store_true", help="label initials (1) and stamps (2) beside signatures (0)"
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=[recipe.name for recipe in RECIPES],
        metavar="KIND",
        help="only these kinds of page: " + ", ".join(recipe.name for recipe in RECIPES),
    )
    parser.add_argument("--processes", type=int, default=usable_cores(), help="default: one for each core")
    return parser


if __name__ == "__main__":
    main()
