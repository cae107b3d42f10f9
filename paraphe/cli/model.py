"""`paraphe model`: measure model versions, ours and others', on labelled pages."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import track
from rich.table import Table

from paraphe.model_results import HEADINGS, as_markdown, rows
from shared.domain.detection import Kind
from shared.domain.errors import ParapheError

if TYPE_CHECKING:
    from paraphe.cli.predictors import Candidate
    from services.trainer.dataset import LabelledPage
    from services.trainer.evaluation import Examination

model_app = typer.Typer(help="Model versions: measure and compare them on labelled pages.")

_PERCENT = ("precision", "recall", "f1", "map50", "map50_95", "page_accuracy", "count_accuracy", "recall_overlapped")
_FALSE_ALARMS = "false_per_100_unsigned"
_SLICE_COLUMNS = {
    "precision": "P",
    "recall": "R",
    "f1": "F1",
    "map50": "mAP50",
    "map50_95": "50-95",
    "page_accuracy": "page",
    "count_accuracy": "count",
}
_FLOOR = 0.001
_DESCRIPTION = "model.json"


class Backend(StrEnum):
    """Runtimes of the production path."""

    OPENVINO = "openvino"
    ONNXRUNTIME = "onnxruntime"
    PYTORCH = "pytorch"


@model_app.callback()
def model() -> None:
    """Model versions: measure and compare them on labelled pages."""


@model_app.command("evaluate")
def evaluate_model(
    weights: Annotated[Path, typer.Option(help="A model version's folder, or anybody's .pt or .onnx.", exists=True)],
    data: Annotated[Path, typer.Option(help="Dataset folder: ours (index.csv), YOLO or COCO.", exists=True)],
    split: Annotated[str | None, typer.Option(help="Only this split.")] = None,
    source: Annotated[list[str] | None, typer.Option(help="Only pages of this source; may be repeated.")] = None,
    backend: Annotated[Backend | None, typer.Option(help="Runtime; default: what production would choose.")] = None,
    accept: Annotated[float | None, typer.Option(help="Threshold; default: the model's own.")] = None,
    size: Annotated[int | None, typer.Option(help="Input size of others' weights.")] = None,
    kind: Annotated[Kind, typer.Option(help="What to measure.")] = Kind.SIGNATURE,
    samples: Annotated[int, typer.Option(min=1, help="Bootstrap samples for the intervals.")] = 500,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write all results here.")] = None,
    report: Annotated[Path | None, typer.Option(help="Folder for plots and the gallery of errors.")] = None,
    record: Annotated[bool, typer.Option(help="Keep the results in the version's model.json.")] = False,
) -> None:
    """Measure a model through the code that production runs, with 95 % intervals and by slice."""
    from paraphe.cli.predictors import open_candidate
    from services.trainer.dataset import read_pages
    from services.trainer.evaluation import evaluate

    if record and (source or accept is not None or kind is not Kind.SIGNATURE):
        typer.echo(
            "--record keeps what a model finds of signatures at its own threshold: without --source, "
            "--accept and --kind.",
            err=True,
        )
        raise typer.Exit(2)
    if record:
        _must_be_version(_folder_of(weights))
    console = Console()
    with _faults_named():
        pages = _chosen(read_pages(data, split), source, kind)
        with open_candidate(weights, backend.value if backend else None, size, _FLOOR) as candidate:
            examined = _examined(candidate, pages, kind, console)
    threshold = candidate.thresholds.accept if accept is None else accept
    measured = {
        "model": candidate.name,
        "data": {"split": split, "sources": source, "kind": kind},
        **evaluate(examined, threshold, samples),
    }
    console.print(_overall(measured))
    console.print(_slices(measured))
    _write_results(measured, examined, json_out, report)
    if record:
        _record(weights, measured)


@model_app.command("compare")
def compare_models(
    weights: Annotated[
        Path, typer.Option(help="The candidate: a version's folder, or anybody's .pt or .onnx.", exists=True)
    ],
    against: Annotated[Path, typer.Option(help="What it would replace, likewise.", exists=True)],
    data: Annotated[Path, typer.Option(help="Dataset folder: ours (index.csv), YOLO or COCO.", exists=True)],
    split: Annotated[str | None, typer.Option(help="Only this split.")] = None,
    source: Annotated[list[str] | None, typer.Option(help="Only pages of this source; may be repeated.")] = None,
    backend: Annotated[Backend | None, typer.Option(help="Runtime; default: what production would choose.")] = None,
    kind: Annotated[Kind, typer.Option(help="What to measure.")] = Kind.SIGNATURE,
    samples: Annotated[int, typer.Option(min=1, help="Bootstrap samples for the intervals.")] = 500,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the comparison here.")] = None,
) -> None:
    """Measure two models on the same pages: what differs, and whether that could be chance.

    Exit status 1: the candidate is worse in something, by more than chance.
    """
    from paraphe.cli.predictors import open_candidate
    from services.trainer.dataset import read_pages
    from services.trainer.evaluation import Judged, compare

    console, judged, names = Console(), [], []
    with _faults_named():
        pages = _chosen(read_pages(data, split), source, kind)
        for one in (weights, against):
            with open_candidate(one, backend.value if backend else None, None, _FLOOR) as candidate:
                judged.append(Judged(_examined(candidate, pages, kind, console), candidate.thresholds.accept))
                names.append(f"{candidate.name}, accept {candidate.thresholds.accept:g}")
    compared = compare(judged[0], judged[1], samples)
    if json_out:
        json_out.write_text(
            json.dumps({"candidate": names[0], "against": names[1], "measures": compared}, indent=2) + "\n"
        )
    console.print(f"candidate: {names[0]}\nagainst: {names[1]}\n{len(pages)} pages", highlight=False)
    console.print(_differences(compared))
    if any(_direction(name, one) < 0 for name, one in compared.items()):
        raise typer.Exit(1)


@model_app.command("calibrate")
def calibrate_model(
    weights: Annotated[Path, typer.Option(help="A model version's folder.", exists=True, file_okay=False)],
    data: Annotated[Path, typer.Option(help="What it was trained on: its held-out pages are used.", exists=True)],
    also: Annotated[list[Path] | None, typer.Option(help="More labelled pages it never saw.", exists=True)] = None,
    backend: Annotated[Backend | None, typer.Option(help="Runtime; default: what production would choose.")] = None,
) -> None:
    """Make confidence mean what it says and choose the thresholds, by what the production path finds."""
    from paraphe.cli.predictors import uncalibrated
    from services.trainer.calibration import calibrate
    from services.trainer.dataset import DatasetError, read_pages
    from services.trainer.splits import is_held_out

    _must_be_version(weights)
    described = _description(weights)
    share = min(network["training"]["held_out"] for network in described.get("networks", [described]))
    with _faults_named():
        pages = [page for page in read_pages(data, "train") if is_held_out(page.group, share)]
        pages += [page for folder in also or [] for page in read_pages(folder)]
        if not pages:
            raise DatasetError("Training held no page of it out: give pages the model never saw with --also.")
        with uncalibrated(weights, backend.value if backend else None, _FLOOR) as candidate:
            examined = _examined(candidate, pages, Kind.SIGNATURE, Console())
        calibration, thresholds = calibrate([one.page for one in examined])
    described["calibration"] = {name: round(value, 4) for name, value in asdict(calibration).items()}
    described["thresholds"] = asdict(thresholds)
    described["metrics"] = {}  # what is there was measured at other thresholds
    _write_description(weights, described)
    typer.echo(f"{candidate.name}: accept {thresholds.accept:g}, review {thresholds.review:g}, by {len(pages)} pages")


@model_app.command("show")
def show_model(
    weights: Annotated[Path, typer.Argument(help="A model version's folder.", exists=True, file_okay=False)],
    markdown: Annotated[bool, typer.Option(help="As a Markdown table, as in the README.")] = False,
) -> None:
    """Show the results that a model version came with or that were recorded since."""
    _must_be_version(weights)
    if markdown:
        typer.echo(as_markdown(weights))
        return
    table = Table(title=f"{weights}, %", box=SIMPLE, pad_edge=False, collapse_padding=True)
    for number, heading in enumerate(HEADINGS):
        table.add_column(heading, no_wrap=number == 0, justify="right" if number else "left")
    for row in rows(weights):
        table.add_row(*row)
    Console().print(table)


@contextmanager
def _faults_named() -> Iterator[None]:
    """What is wrong with a dataset or a model is said in a line, and the command ends with status 1."""
    from services.trainer.dataset import DatasetError

    try:
        yield
    except (DatasetError, ParapheError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def _must_be_version(folder: Path) -> None:
    if not (folder / _DESCRIPTION).is_file():
        typer.echo(f"{folder} holds no {_DESCRIPTION}: give the folder of a model version.", err=True)
        raise typer.Exit(2)


def _chosen(pages: "Sequence[LabelledPage]", sources: Sequence[str] | None, kind: Kind) -> "list[LabelledPage]":
    """The pages of some sources, or of all, that are labelled for a kind; DatasetError where there is none."""
    from services.trainer.dataset import DatasetError
    from services.trainer.evaluation import labelled_for

    of_sources = [page for page in pages if not sources or page.source in sources]
    if not of_sources:
        there = ", ".join(sorted({page.source for page in pages}))
        raise DatasetError(f"No page is of source {' or '.join(sources or ())}. There are: {there}.")
    chosen = labelled_for(kind, of_sources)
    if len(chosen) < len(of_sources):
        typer.echo(f"{len(of_sources) - len(chosen)} pages are labelled for signatures only: left out.", err=True)
    if not chosen:
        raise DatasetError(f"No page is labelled for {kind}: give others with --data or --source.")
    return chosen


def _examined(
    candidate: "Candidate", pages: "Sequence[LabelledPage]", kind: Kind, console: Console
) -> "list[Examination]":
    """Every page examined, while a bar shows how far it is."""
    from services.trainer.evaluation import examine

    watched = track(pages, description=candidate.name, console=console, transient=True)
    return examine(pages, candidate.predict, kind, progress=lambda _: watched)


def _overall(measured: dict[str, Any]) -> Table:
    values = measured["all"]
    title = f"{measured['model']}, accept {measured['accept']:g}: {values['pages']} pages, {values['boxes']} boxes"
    table = Table("measure", "value", "95 % interval", title=title)
    for name in _PERCENT:
        table.add_row(name, _scaled(values[name]["value"]), _interval(values[name], 100))
    table.add_row(_FALSE_ALARMS, _scaled(values[_FALSE_ALARMS]["value"], 1), _interval(values[_FALSE_ALARMS], 1))
    return table


def _slices(measured: dict[str, Any]) -> Table:
    table = Table(title="by slice, %", box=SIMPLE, pad_edge=False, collapse_padding=True)
    table.add_column("pages of", no_wrap=True)
    for column in ("pages", "boxes", *_SLICE_COLUMNS.values()):
        table.add_column(column, justify="right")
    for name, values in measured["slices"].items():
        cells = [_scaled(values[measure]["value"]) for measure in _SLICE_COLUMNS]
        table.add_row(name, str(values["pages"]), str(values["boxes"]), *cells)
    return table


def _differences(compared: dict[str, dict[str, float | None]]) -> Table:
    table = Table("measure", "candidate", "against", "difference", "95 % interval", "", box=SIMPLE)
    words = {-1: "worse", 0: "", 1: "better"}
    table.columns[0].no_wrap = True
    for name, one in compared.items():
        scale = 1 if name == _FALSE_ALARMS else 100
        cells = [_scaled(one[part], scale) for part in ("candidate", "against", "difference")]
        table.add_row(name, *cells, _interval(one, scale), words[_direction(name, one)])
    return table


def _direction(name: str, one: dict[str, float | None]) -> int:
    """1 where the whole interval says that the candidate is better, -1 where worse, 0 where it may be chance."""
    low, high = one["low"], one["high"]
    if low is None or high is None or low <= 0 <= high:
        return 0
    is_more = low > 0
    return 1 if is_more != (name == _FALSE_ALARMS) else -1


def _scaled(value: float | None, scale: float = 100) -> str:
    return "–" if value is None else f"{scale * value:.1f}"


def _interval(value: dict[str, float | None], scale: float) -> str:
    if value["low"] is None or value["high"] is None:
        return "–"
    return f"{scale * value['low']:.1f} – {scale * value['high']:.1f}"


def _write_results(
    measured: dict[str, Any], examined: "list[Examination]", json_out: Path | None, report: Path | None
) -> None:
    if json_out:
        json_out.write_text(json.dumps(measured, indent=2) + "\n")
    if report:
        from services.trainer.metrics import tally
        from services.trainer.plots import draw_report

        table = tally([one.page for one in examined], measured["accept"])
        draw_report(examined, table, measured, report)
        typer.echo(f"{report}: pr.png, calibration.png, errors.png")


def _record(weights: Path, measured: dict[str, Any]) -> None:
    """Put the overall results, and what measured them, into the version's model.json."""
    folder = _folder_of(weights)
    described = _description(folder)
    name = measured["data"]["split"] or "all"
    described["metrics"][name] = {
        "measured_by": f"paraphe model evaluate ({measured['model']})",
        "accept": measured["accept"],
        **measured["all"],
        "sources": {key: value for key, value in measured["slices"].items() if key.startswith("source:")},
        "calibration_error": measured["calibration"]["error"],
    }
    _write_description(folder, described)


def _folder_of(weights: Path) -> Path:
    return weights if weights.is_dir() else weights.parent


def _description(folder: Path) -> dict[str, Any]:
    described: dict[str, Any] = json.loads((folder / _DESCRIPTION).read_text())
    return described


def _write_description(folder: Path, described: dict[str, Any]) -> None:
    (folder / _DESCRIPTION).write_text(json.dumps(described, indent=2) + "\n")
