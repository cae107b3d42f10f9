"""The servers of a test run, as the fixture ``servers`` hands them out."""

from dataclasses import dataclass

from paraphe.local.data_folder import DataFolder
from paraphe.local.servers import PostgresServer, SeaweedServer, ServerGroup, ValkeyServer


@dataclass(frozen=True)
class Servers:
    """Three running servers, each with ``kill()``, ``stop()``, ``start()``, ``restart()``.

    What does not run at the end of a test is started again for the next one.
    """

    folder: DataFolder
    group: ServerGroup
    postgres: PostgresServer
    valkey: ValkeyServer
    seaweedfs: SeaweedServer

    @classmethod
    def in_folder(cls, folder: DataFolder) -> "Servers":
        group = ServerGroup(folder, given={})
        found = {type(server): server for server in group.members}
        return cls(folder, group, found[PostgresServer], found[ValkeyServer], found[SeaweedServer])  # type: ignore[arg-type]

    @property
    def environment(self) -> dict[str, str]:
        """The settings (``PARAPHE_…``) that lead services to these servers, for processes that tests start."""
        return self.group.environment
