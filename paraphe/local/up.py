"""``paraphe up``: everything on one machine, from a folder, until told to stop."""

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

from paraphe.local.errors import AlreadyRunningError, StartupError
from paraphe.local.interruption import Interruption, StopRequestedError
from paraphe.local.services import metrics_addresses
from paraphe.local.supervisor import Supervisor, UpOptions


@dataclass(frozen=True)
class Terminal:
    """Where the person is told; ``began`` is when the command was typed (``time.monotonic``)."""

    console: Console
    began: float

    def show(self, what: RenderableType) -> None:
        """Print. A terminal that has been closed meanwhile must not keep us from stopping in good order."""
        with suppress(OSError):
            self.console.print(what, highlight=False, soft_wrap=True)

    def say(self, line: str) -> None:
        """Print plain text."""
        self.show(escape(line))

    def done(self, what: str) -> None:
        """Print a step that succeeded."""
        self.show(f"[green]✓[/] {escape(what)} [dim]({time.monotonic() - self.began:.1f} s)[/]")

    def failed(self, what: str) -> None:
        """Print why it did not start."""
        self.show(f"[bold red]✗[/] {escape(what)}")


def run_up(options: UpOptions, *, demo: bool, console: Console) -> int:
    """Start, show, keep running, drain. Returns the exit status: 0 after a stop that was asked for, 1 if it failed."""
    terminal = Terminal(console, time.monotonic())
    interruption = Interruption()
    interruption.listen()
    supervisor = Supervisor(options, terminal.say)
    try:
        with interruption.raising():
            key = _start(supervisor, terminal)
        if demo:
            Thread(target=_show_demo, args=(supervisor.url, key, terminal, interruption.requested), daemon=True).start()
        supervisor.watch(interruption.requested)
    except AlreadyRunningError as error:
        terminal.failed(str(error))
        return 1
    except StartupError as error:
        terminal.failed(f"Paraphe did not start: {error}")
        return 1
    except StopRequestedError:
        terminal.say("asked to stop while starting")
    finally:
        supervisor.stop(interruption.hurry)
    terminal.say(f"stopped; everything is kept in {supervisor.folder.path}")
    return 0


def _start(supervisor: Supervisor, terminal: Terminal) -> str:
    """All steps up to a gateway that is ready; returns the administrator's key."""
    supervisor.claim_folder()
    with terminal.console.status("starting servers …") as status:
        names = supervisor.start_servers(dict(os.environ))
        terminal.done(f"servers: {', '.join(names) or 'your own'}")
        status.update("preparing the database …")
        # Imported only now: the database layer takes longer to load than some servers take to start.
        from paraphe.local.preparation import prepare_database

        key, is_new = prepare_database(supervisor.folder)
        terminal.done("database: schema, administrator's key")
        if is_new:
            # At once: should a service fail to start, the next start will not show it again.
            terminal.show(
                f"\n  Administrator's key: [bold]{key}[/]\n  Shown this once; kept in {_key_file(supervisor)}\n"
            )
        status.update("starting services …")
        names = supervisor.start_services()
        terminal.done(f"services: {', '.join(names)}")
    _show_addresses(supervisor, terminal)
    return key


def _show_addresses(supervisor: Supervisor, terminal: Terminal) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2))
    table.add_row("Web pages", supervisor.url)
    table.add_row("API", f"{supervisor.url}/v1")
    table.add_row("Documentation", f"{supervisor.url}/docs")
    for service, address in metrics_addresses(supervisor.environment, supervisor.url).items():
        table.add_row(f"Metrics of the {service}", address)
    table.add_row("Data, logs", str(supervisor.folder.path))
    table.add_row("Administrator's key", f"in {_key_file(supervisor)}")
    terminal.show(table)
    terminal.say("Running until Ctrl-C.")


def _show_demo(url: str, key: str, terminal: Terminal, stopping: Event) -> None:
    from paraphe.api_errors import ParapheClientError
    from paraphe.cli.tables import faults, jobs_table
    from paraphe.client import Client
    from paraphe.local.demo import run_demo

    try:
        with Client(url, key) as client:
            result = run_demo(client)
    except ParapheClientError as error:
        if not stopping.is_set():
            terminal.say(f"the sample documents could not be examined: {error}")
        return
    if result:
        terminal.show(jobs_table(result.jobs, title="Sample documents"))
        for line in faults((name, job.error.code, job.error.detail) for name, job in result.jobs if job.error):
            terminal.show(line)
        took = f"first result {result.first_at - terminal.began:.1f} s, all {result.last_at - terminal.began:.1f} s"
        terminal.say(f"{took} after the start. Your own: paraphe submit FILE --wait")


def _key_file(supervisor: Supervisor) -> str:
    path = supervisor.folder.admin_key_file
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
