"""The servers one machine needs, started side by side."""

from collections.abc import Mapping

from paraphe.local.data_folder import DataFolder
from paraphe.local.servers.base import EmbeddedServer
from paraphe.local.servers.postgres import PostgresServer
from paraphe.local.servers.seaweedfs import SeaweedServer
from paraphe.local.servers.valkey import ValkeyServer

# The setting that says an operator brings a server of their own.
REPLACED_BY: dict[str, type[EmbeddedServer]] = {
    "PARAPHE_REDIS_URL": ValkeyServer,
    "PARAPHE_OBJECTS_ENDPOINT": SeaweedServer,
    "PARAPHE_POSTGRES_URL": PostgresServer,
}


class ServerGroup:
    """The embedded servers that the operator's own settings (``given``) leave to us."""

    def __init__(self, folder: DataFolder, given: Mapping[str, str]) -> None:
        self.members = tuple(kind(folder) for setting, kind in REPLACED_BY.items() if not given.get(setting))

    @property
    def environment(self) -> dict[str, str]:
        """The settings (``PARAPHE_…``) that lead services to these servers."""
        return {name: value for server in self.members for name, value in server.environment.items()}

    def spawn(self) -> None:
        """Start all without waiting."""
        for server in self.members:
            server.spawn()

    def wait_ready(self) -> None:
        """Wait until all answer. StartupError when one does not."""
        for server in self.members:
            server.wait_ready()

    def ensure_running(self) -> list[str]:
        """Start those that do not run, all at once, and wait for them; returns their names."""
        fallen = [server for server in self.members if not server.is_alive()]
        for server in fallen:
            server.spawn()
        for server in fallen:
            server.wait_ready()
        return [server.name for server in fallen]

    def stop(self) -> None:
        """Stop all in good order, all at once."""
        for server in self.members:
            server.ask_to_stop()
        for server in self.members:
            server.stop()
