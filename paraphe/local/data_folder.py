"""The folder that holds everything of one machine: server data, secrets, ports, logs, the administrator's key."""

import fcntl
import json
import os
import random
import secrets
import shutil
import socket
from pathlib import Path
from typing import Any

from paraphe.local.errors import AlreadyRunningError, StartupError

# Below the range kernels take outgoing ports from (32768 up): a remembered port is then still free at the next start.
PORT_RANGE = range(17000, 32000)


class DataFolder:
    """One data folder. Ports and secrets are made once and remembered, so that a restart keeps every address."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock_descriptor: int | None = None

    def prepare(self) -> None:
        """Make the folder, closed to other users (root's PostgreSQL runs as another user and must pass through)."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
            for name in ("logs", "run"):
                (self.path / name).mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise StartupError(f"cannot use {self.path} as data folder: {error.strerror}") from error

    @property
    def admin_key_file(self) -> Path:
        """Holds the administrator's key, mode 600."""
        return self.path / "admin.key"

    @property
    def run_folder(self) -> Path:
        """Where running processes are remembered."""
        return self.path / "run"

    @property
    def scratch(self) -> Path:
        """Temporary files of the services."""
        return self.path / "tmp"

    def clear_scratch(self) -> None:
        """Remove what services that were killed have left there."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(mode=0o700, exist_ok=True)

    def log(self, name: str) -> Path:
        """Where the named process writes its log."""
        return self.path / "logs" / f"{name}.log"

    def pid_file(self, name: str) -> Path:
        """Where the named process is remembered while it runs."""
        return self.run_folder / f"{name}.json"

    def lock(self) -> None:
        """Own the folder until this process ends, however it ends.

        Raises:
            AlreadyRunningError: another process owns it.
        """
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            owner = self.owner()
            raise AlreadyRunningError(str(self.path), owner.get("pid"), owner.get("url")) from None
        self._lock_descriptor = descriptor
        self.write_owner(None)

    def write_owner(self, url: str | None) -> None:
        """Say in the folder which process owns it and where it answers (None while it does not yet)."""
        self.write_private("owner.json", json.dumps({"pid": os.getpid(), "url": url}))

    def owner(self) -> dict[str, Any]:
        """``{"pid", "url"}`` of the process that owns the folder now or did last; empty if none ever did."""
        return self._read_json("owner.json")

    def unlock(self) -> None:
        """Give the folder back."""
        if self._lock_descriptor is not None:
            os.close(self._lock_descriptor)
            self._lock_descriptor = None

    def secret(self, name: str) -> str:
        """The named secret, made at random on first use."""
        kept = self._read_json("secrets.json")
        if name not in kept:
            kept[name] = secrets.token_urlsafe(24)
            self.write_private("secrets.json", json.dumps(kept, indent=2))
        return str(kept[name])

    def port(self, name: str) -> int:
        """The named loopback port, chosen free on first use, and again if some other program has taken it since."""
        kept = self._read_json("ports.json")
        if name not in kept or not is_port_free(int(kept[name])):
            kept[name] = _choose_port(taken={int(port) for port in kept.values()})
            self.write_private("ports.json", json.dumps(kept, indent=2))
        return int(kept[name])

    def known_ports(self) -> dict[str, int]:
        """Ports by name, as they were chosen last."""
        return {name: int(port) for name, port in self._read_json("ports.json").items()}

    def write_private(self, name: str, text: str) -> Path:
        """Replace a file as a whole, readable by its owner only."""
        path = self.path / name
        draft = path.with_name(f".{path.name}.new")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        return path

    def _read_json(self, name: str) -> dict[str, Any]:
        try:
            return dict(json.loads((self.path / name).read_text()))
        except FileNotFoundError:
            return {}


def is_port_free(port: int) -> bool:
    """Whether a server could listen on that port of loopback now."""
    return listening_fault(port, "127.0.0.1") is None


def listening_fault(port: int, host: str) -> str | None:
    """Why no server could listen there now, or None (a port in TIME_WAIT is fine: servers reuse it)."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror or str(error)
        return None


def _choose_port(taken: set[int]) -> int:
    for port in random.sample(PORT_RANGE, len(PORT_RANGE)):
        if port not in taken and is_port_free(port):
            return port
    raise StartupError(f"no free port between {PORT_RANGE.start} and {PORT_RANGE.stop} on 127.0.0.1")
