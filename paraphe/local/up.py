"""``paraphe up``: everything on one machine, from a folder, until told to stop."""

import os
import time
from pathlib import Path
from threading import Thread

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from paraphe.local.errors import StartupError
from paraphe.local.interruption import Interruption, StopRequestedError
from paraphe.local.services import metrics_addresses
from paraphe.local.supervisor import Supervisor, UpOptions


def run_up(options: UpOptions, *, demo: bool, console: Console) -> int:
    """Start, show, keep running, drain. Returns the exit status: 0 after a stop that was asked for, 1 if it failed."""
    interruption = Interruption()
    interruption.listen()
    supervisor = Supervisor(options, lambda line: console.print(escape(line), highlight=False, soft_wrap=True))
    status = 0
    try:
        with interruption.raising():
            key = _start(supervisor, console)
        if demo:
            Thread(target=_show_demo, args=(supervisor.url, key, console), daemon=True).start()
        supervisor.watch(interruption.requested)
    except StartupError as error:
        console.print(f"[bold red]Paraphe did not start:[/] {escape(str(error))}", soft_wrap=True, highlight=False)
        status = 1
    except StopRequestedError:
        console.print("asked to stop while starting")
    supervisor.stop(interruption.hurry)
    if status == 0:
        console.print(f"stopped; everything is kept in {escape(str(supervisor.folder.path))}")
    return status


def _start(supervisor: Supervisor, console: Console) -> str:
    """All steps up to a gateway that is ready; returns the administrator's key."""
    began = time.monotonic()
    supervisor.claim_folder()
    with console.status("starting servers …") as shown:
        names = supervisor.start_servers(dict(os.environ))
        _done(console, began, f"servers: {', '.join(names)}" if names else "servers: your own")
        shown.update("preparing the database …")
        key, is_new = _prepare_database(supervisor)
        _done(console, began, "database: schema and administrator's key")
        shown.update("starting gateway, detector, notifier, reconciler …")
        supervisor.start_services()
        _done(console, began, "services: gateway, detector, notifier, reconciler")
    _show_addresses(supervisor, key if is_new else None, console)
    return key


def _prepare_database(supervisor: Supervisor) -> tuple[str, bool]:
    # Imported while the servers come up: the database layer takes longer to load than they take to start.
    from paraphe.local.first_key import ensure_admin_key
    from shared.db.engine import make_engine
    from shared.db.migrate import migrate
    from shared.settings import PostgresSettings

    engine = make_engine(PostgresSettings())
    try:
        migrate(engine)
        return ensure_admin_key(engine, supervisor.folder)
    finally:
        engine.dispose()


def _done(console: Console, began: float, what: str) -> None:
    console.print(f"[green]✓[/] {what} [dim]({time.monotonic() - began:.1f} s)[/]", highlight=False)


def _show_addresses(supervisor: Supervisor, new_key: str | None, console: Console) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2))
    table.add_row("API", supervisor.url)
    table.add_row("Documentation", f"{supervisor.url}/docs")
    for service, address in metrics_addresses(supervisor.environment, supervisor.url).items():
        table.add_row(f"Metrics of the {service}", address)
    table.add_row("Data, logs", str(supervisor.folder.path))
    where = _short(supervisor.folder.admin_key_file)
    if new_key:
        table.add_row("Administrator's key", f"[bold]{new_key}[/]")
        table.add_row("", f"shown this once, kept in {where}")
    else:
        table.add_row("Administrator's key", f"in {where}")
    console.print(table, highlight=False, soft_wrap=True)
    console.print("Running until Ctrl-C.")


def _show_demo(url: str, key: str, console: Console) -> None:
    from paraphe.cli.tables import jobs_table
    from paraphe.client import Client
    from paraphe.local.demo import run_demo

    began = time.monotonic()
    with Client(url, key) as client:
        result = run_demo(client, lambda line: console.print(escape(line), highlight=False))
    if result:
        console.print(jobs_table(result.jobs, title="Sample documents"))
        took = f"first result after {result.first_s:.1f} s, all after {time.monotonic() - began:.1f} s"
        console.print(f"[dim]{took}[/]. Your own: [bold]paraphe submit FILE --wait[/]", highlight=False)


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
