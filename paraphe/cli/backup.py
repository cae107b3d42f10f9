"""``paraphe backup`` and ``paraphe restore``."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from paraphe.cli.connection import DEFAULT_DATA

if TYPE_CHECKING:
    from paraphe.backup.database import Database
    from paraphe.backup.manifest import Manifest
    from paraphe.backup.restoring import Restoration
    from paraphe.backup.verifying import Verification
    from shared.objects import ObjectStore

Data = Annotated[
    Path,
    typer.Option(help="Data folder of a `paraphe up`, unless the environment names Postgres and the object store."),
]


def backup(
    out: Annotated[Path | None, typer.Option(help="Folder to make the backup in; new or empty.")] = None,
    into: Annotated[
        Path | None, typer.Option(help="Folder of many backups: this one gets a folder in it, named after its time.")
    ] = None,
    keep: Annotated[
        int | None, typer.Option(min=1, help="With --into: how many stay; once this one is made, older ones go.")
    ] = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Back up: a dump of the database and a listing of all objects with their hashes. Everything may keep running.

    The objects themselves stay where they are: copy the store, or let it replicate, by its own means.
    """
    if (out is None) == (into is None):
        raise typer.BadParameter("give either --out or --into")
    if keep is not None and into is None:
        raise typer.BadParameter("--keep goes with --into")
    from paraphe.backup.making import make_backup
    from paraphe.backup.series import next_folder, prune, remove_left_overs

    now = datetime.now(UTC)
    with _reaching(data, alone=False) as (database, store):
        folder = out or next_folder(cast("Path", into), now)
        if into is not None and keep is not None:
            _tell_removed(remove_left_overs(into, now))
        made = make_backup(folder, database, store)
        _tell_made(folder, made)
        if unrecorded := database.note_backup(made):
            typer.secho(f"the backup is not on record in the database: {unrecorded}", fg=typer.colors.YELLOW, err=True)
    if into is not None and keep is not None:
        _tell_removed(prune(into, keep))


def _tell_removed(folders: list[Path]) -> None:
    for path in folders:
        typer.echo(f"{path}: removed")


def _tell_made(folder: Path, made: "Manifest") -> None:
    size = sum(fact.size for fact in made.files.values())
    typer.echo(f"{folder}: {made.rows.get('jobs', 0)} jobs, {made.objects} objects listed, {size} bytes")


def restore(
    source: Annotated[Path, typer.Option("--from", help="Folder of a backup.", exists=True)],
    verify: Annotated[bool, typer.Option("--verify", help="Only say whether it is good; change nothing.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="With --verify: sizes of the objects, not their content.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Even if the database holds jobs; they go.")] = False,
    erase_missing: Annotated[
        bool,
        typer.Option("--erase-missing", help="Erase jobs whose document is gone: they were erased after the backup."),
    ] = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Restore the database, or with --verify try a backup out. Stop the services before restoring.

    Jobs accepted after the backup are queued again from their documents.
    """
    if verify:
        _verify(source, data, quick)
        return
    from paraphe.backup.restoring import restore as restore_backup
    from shared.settings import JobSettings

    with _reaching(data, alone=True) as (database, store):
        done = restore_backup(
            source, database, store, replace=replace, erase_missing=erase_missing, settings=JobSettings()
        )
    _tell_restored(done, erased=erase_missing)


def _verify(source: Path, data: Path, quick: bool) -> None:
    from paraphe.backup.verifying import verify

    with _reaching(data, alone=False) as (database, store):
        found = verify(source, database, store, read_objects=not quick)
    _tell_verified(found)
    if found.faults:
        raise typer.Exit(1)


def _tell_verified(found: "Verification") -> None:
    for fault in found.faults:
        typer.secho(fault, fg=typer.colors.RED, err=True)
    tried = "restored on trial" if found.was_tried_out else "NOT restored on trial (no right to create a database)"
    typer.echo(f"database: {found.manifest.rows.get('jobs', 0)} jobs, {tried}")
    typer.echo(f"objects: {found.objects} listed, {len(found.faults)} at fault, {found.erased} erased since")


def _tell_restored(done: "Restoration", *, erased: bool) -> None:
    typer.echo(f"restored {done.manifest.rows.get('jobs', 0)} jobs as of {done.manifest.made_at.isoformat()}")
    typer.echo(f"queued again from their documents: {len(done.queued_again)} jobs accepted after the backup")
    for name in done.unclaimed:
        typer.echo(f"  left alone (its client or type is unknown): {name}")
    what = "erased" if erased else "kept; --erase-missing erases them"
    typer.echo(f"jobs without document: {len(done.without_document)} ({what})")


@contextmanager
def _reaching(data: Path, *, alone: bool) -> Iterator[tuple["Database", "ObjectStore"]]:
    """Database and store; what goes wrong ends the command with a message and exit status 1."""
    from paraphe.backup.database import Database
    from paraphe.backup.errors import BackupError
    from paraphe.backup.reaching import servers_of
    from shared.domain.errors import TemporaryError
    from shared.objects import ObjectStore

    try:
        with servers_of(data, alone=alone) as (postgres, objects):
            database = Database(postgres)
            try:
                yield database, ObjectStore(objects)
            finally:
                database.close()
    except (BackupError, TemporaryError) as error:
        typer.secho(str(error), fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from error
