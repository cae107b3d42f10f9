"""`paraphe data`: look at labelled pages, check them, pin them as a dataset version."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from paraphe.cli.connection import DEFAULT_DATA

data_app = typer.Typer(help="Labelled pages: check them, make a dataset version, show what they hold.")

Folder = Annotated[Path, typer.Argument(help="Dataset folder: ours (index.csv), YOLO or COCO.", exists=True)]


@data_app.command("check")
def check_data(folder: Folder) -> None:
    """Name everything that is wrong with a dataset; exit status 1 if anything is."""
    from services.trainer.dataset import DatasetError, read_pages
    from services.trainer.dataset_check import check

    try:
        pages = read_pages(folder)
        problems = [str(problem) for problem in check(pages)]
    except DatasetError as error:
        pages, problems = [], [str(error)]
    for problem in problems:
        typer.echo(problem)
    typer.echo(f"{len(pages)} pages, {len(problems)} problems")
    raise typer.Exit(1 if problems else 0)


@data_app.command("build")
def build_version(
    folder: Folder,
    out: Annotated[Path, typer.Option(help="Where the manifest goes.")] = Path("dataset.json"),
    licence: Annotated[list[str] | None, typer.Option(help="SOURCE=LICENCE; repeat for each source.")] = None,
) -> None:
    """Check a dataset and write its manifest: every file's hash, splits by group, counts, licences."""
    from services.trainer.dataset import DatasetError, read_pages
    from services.trainer.dataset_version import build

    pairs = [entry.partition("=") for entry in licence or []]
    try:
        manifest = build(folder, read_pages(folder), out, {source: text for source, _, text in pairs})
    except DatasetError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{out}: version {manifest['version']}, {len(manifest['pages'])} pages")


@data_app.command("show")
def show_data(folder: Folder) -> None:
    """Count pages and boxes by split and source."""
    from services.trainer.dataset import DatasetError, read_pages
    from services.trainer.dataset_version import counts
    from shared.domain.labels import KINDS

    try:
        table = counts(read_pages(folder))
    except DatasetError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    unknown = [column for column in table["all"] if column not in ("pages", "signed", *KINDS)]
    Console().print(_counts_table(table, [*KINDS, *unknown]))


@data_app.command("export")
def export_data(
    out: Annotated[Path, typer.Option(help="Folder for the dataset; new or empty.")],
    client_name: Annotated[str | None, typer.Option("--client", help="Of this client only; default: of all.")] = None,
    data: Annotated[
        Path,
        typer.Option(help="Data folder of a `paraphe up`, unless the environment names Postgres and the object store."),
    ] = DEFAULT_DATA,
) -> None:
    """Write the pages people corrected as a dataset: only documents whose sender consented to training.

    Each document that leaves gets a line in its client's audit log. Consent may be withdrawn: export anew before each
    training, and delete earlier exports.
    """
    from paraphe.backup.errors import BackupError
    from paraphe.backup.reaching import servers_of
    from paraphe.dataset_folder import FolderNotEmptyError
    from paraphe.local.interruption import Interruption, StopRequestedError
    from paraphe.training_export import TrainingExport
    from shared.db.engine import make_engine
    from shared.domain.errors import TemporaryError
    from shared.objects import ObjectStore
    from shared.settings import LimitSettings

    # Pages lie about until the export is whole: however it is asked to stop, it takes them away first.
    interruption = Interruption()
    interruption.listen()
    try:
        with interruption.raising(), servers_of(data, alone=False) as (postgres, objects):
            engine = make_engine(postgres)
            try:
                export = TrainingExport(engine, ObjectStore(objects), LimitSettings().rendering())
                done = export.write(out, client_name)
            finally:
                engine.dispose()
    except (BackupError, FolderNotEmptyError, TemporaryError) as error:
        typer.secho(str(error), fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from error
    except StopRequestedError as error:
        raise typer.Exit(130) from error
    _tell_left_out(done.left_out)
    typer.echo(f"{out}: {done.pages} pages of {done.documents} documents")


@data_app.command("unsigned")
def gather_unsigned(
    documents: Annotated[
        Path,
        typer.Argument(
            help="Folder of PDFs and pictures, none of them signed; searched through.", exists=True, file_okay=False
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the dataset; new or empty.")],
    each: Annotated[int, typer.Option(min=1, help="How many pages of a document at most.")] = 3,
    marked_by: Annotated[
        Path | None, typer.Option(help="Only pages on which this model version marks a signature.", exists=True)
    ] = None,
    floor: Annotated[
        float, typer.Option(min=0.001, max=1.0, help="With --marked-by: from which confidence on.")
    ] = 0.03,
) -> None:
    """Make a dataset of documents that nobody signed: blank forms, templates, whatever is taken for signed.

    Train on it (--extra), or have its pages signed by the synthesis (--resign --papers).
    """
    from rich.progress import track

    from paraphe.cli.predictors import marks_signatures
    from paraphe.dataset_folder import FolderNotEmptyError
    from paraphe.unsigned_documents import UnsignedDocuments
    from services.trainer.dataset import DatasetError
    from shared.domain.errors import ParapheError
    from shared.settings import LimitSettings

    try:
        with marks_signatures(marked_by, floor) if marked_by else nullcontext() as marked:
            found = UnsignedDocuments(documents, each, LimitSettings().rendering(), marked).write(
                out, lambda files: track(files, "drawing", console=Console(stderr=True))
            )
    except (DatasetError, FolderNotEmptyError, ParapheError) as error:
        typer.secho(str(error), fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from error
    _tell_left_out(found.left_out)
    typer.echo(f"{out}: {found.pages} pages of {found.documents} documents")


def _tell_left_out(left_out: Sequence[str]) -> None:
    for what in left_out:
        typer.secho(f"left out: {what}", fg=typer.colors.YELLOW, err=True)


def _counts_table(rows: dict[str, dict[str, int]], kinds: Sequence[str]) -> Table:
    table = Table("pages of", "pages", "signed", *kinds)
    for name, values in rows.items():
        table.add_row(name, *(str(values.get(column, 0)) for column in ("pages", "signed", *kinds)))
    return table
