"""Real servers from wheels: PostgreSQL, Valkey (Redis protocol), SeaweedFS (S3), each in a folder, on loopback."""

from paraphe.local.servers.base import EmbeddedServer
from paraphe.local.servers.group import REPLACED_BY, ServerGroup
from paraphe.local.servers.postgres import PostgresServer
from paraphe.local.servers.seaweedfs import SeaweedServer
from paraphe.local.servers.valkey import ValkeyServer

__all__ = ["REPLACED_BY", "EmbeddedServer", "PostgresServer", "SeaweedServer", "ServerGroup", "ValkeyServer"]
