"""The object store through plain S3 calls, so that MinIO, SeaweedFS, Ceph or AWS serve alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import urllib3
from minio import Minio
from minio.commonconfig import CopySource
from minio.error import MinioException, S3Error, ServerError
from urllib3.exceptions import HTTPError

from shared.domain.errors import ErrorCode, TemporaryError
from shared.settings import ObjectsSettings

PART_BYTES = 10 * 1024 * 1024


class ObjectMissingError(Exception):
    """The store answered, and has no such object."""


class ObjectChangedError(Exception):
    """The store answered, and has other bytes under that name than those that were asked for."""


@dataclass(frozen=True, slots=True)
class ObjectState:
    """What lies under a name now: its bytes' number, and the tag that changes with them."""

    size: int
    etag: str


class ObjectStore:
    """One bucket. Every method raises TemporaryError when the store cannot be reached or answers with a fault."""

    def __init__(self, settings: ObjectsSettings) -> None:
        self._bucket = settings.bucket
        self._client = _client(settings, settings.endpoint)
        self._public = _client(settings, settings.public_endpoint or settings.endpoint)

    def ensure_bucket(self) -> None:
        """Create the bucket unless it exists (also when another service creates it at the same moment)."""
        with _faults_named():
            try:
                if not self._client.bucket_exists(self._bucket):
                    self._client.make_bucket(self._bucket)
            except S3Error as error:
                if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                    raise

    def check(self) -> None:
        """Raise TemporaryError unless the bucket answers."""
        with _faults_named():
            if not self._client.bucket_exists(self._bucket):
                raise TemporaryError(ErrorCode.STORE_UNAVAILABLE, f"The bucket '{self._bucket}' does not exist.")

    def put(self, name: str, data: BinaryIO, size: int, content_type: str) -> None:
        """Store ``size`` bytes read from ``data`` (in parts, never all in memory at once)."""
        with _faults_named():
            self._client.put_object(self._bucket, name, data, size, content_type, part_size=PART_BYTES)

    def fetch(self, name: str, target: Path) -> None:
        """Write the object's bytes to ``target``; TemporaryError too when this machine has no room for them."""
        with _disk_faults_named(), target.open("wb") as file:
            file.writelines(self.read(name))

    def read(self, name: str, etag: str | None = None) -> Iterator[bytes]:
        """The object's bytes, chunk by chunk; ObjectChangedError when they are not those with this tag."""
        with _faults_named(), self._opened(name, etag) as response:
            yield from response.stream(1024 * 1024)

    def state(self, name: str) -> ObjectState:
        """What lies there now; ObjectMissingError when there is nothing."""
        with _faults_named():
            found = self._client.stat_object(self._bucket, name)
            return ObjectState(found.size or 0, found.etag or "")

    def size(self, name: str) -> int:
        """Bytes of the object; ObjectMissingError when there is none."""
        return self.state(name).size

    def copy(self, source: str, target: str, etag: str) -> None:
        """Copy inside the store, without moving the bytes through us; ObjectChangedError as with ``read``."""
        with _faults_named():
            self._client.copy_object(self._bucket, target, CopySource(self._bucket, source, match_etag=etag))

    def delete(self, name: str) -> None:
        """Delete the object; one that is not there is fine."""
        with _faults_named():
            self._client.remove_object(self._bucket, name)

    def listing(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Name and size of every object whose name starts with ``prefix``, in the order of the names."""
        with _faults_named():
            for entry in self._client.list_objects(self._bucket, prefix=prefix, recursive=True):
                if entry.object_name and not entry.is_dir:
                    yield entry.object_name, entry.size or 0

    def older_than(self, moment: datetime, prefix: str) -> Iterator[str]:
        """Names that start with ``prefix`` of objects written before ``moment``, by the store's clock."""
        with _faults_named():
            for entry in self._client.list_objects(self._bucket, prefix=prefix, recursive=True):
                if entry.object_name and entry.last_modified and entry.last_modified < moment:
                    yield entry.object_name

    def delete_under(self, prefix: str) -> None:
        """Delete every object whose name starts with ``prefix``."""
        with _faults_named():
            for entry in self._client.list_objects(self._bucket, prefix=prefix, recursive=True):
                if entry.object_name:
                    self._client.remove_object(self._bucket, entry.object_name)

    def presigned_put(self, name: str, expires: timedelta) -> str:
        """A URL a client may PUT the object to, until it expires."""
        with _faults_named():
            return self._public.presigned_put_object(self._bucket, name, expires=expires)

    @contextmanager
    def _opened(self, name: str, etag: str | None = None) -> "Iterator[urllib3.BaseHTTPResponse]":
        condition: dict[str, str | list[str] | tuple[str]] = {"If-Match": f'"{etag}"'} if etag else {}
        response = self._client.get_object(self._bucket, name, request_headers=condition)
        try:
            yield response
        finally:
            response.close()
            response.release_conn()


def _client(settings: ObjectsSettings, endpoint: str) -> Minio:
    pool = urllib3.PoolManager(
        maxsize=32,
        timeout=urllib3.Timeout(connect=2, read=30),
        # A store that restarts is back within seconds; callers retry beyond that, with their own backoff.
        # Its last answer says more than that it was asked three times.
        retries=urllib3.Retry(
            total=2, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504], raise_on_status=False
        ),
    )
    return Minio(
        endpoint,
        access_key=settings.access_key.get_secret_value(),
        secret_key=settings.secret_key.get_secret_value(),
        secure=settings.secure,
        region=settings.region,
        http_client=pool,
    )


@contextmanager
def _disk_faults_named() -> Iterator[None]:
    try:
        yield
    except OSError as error:  # its own text has the path, which is no client's business
        raise TemporaryError(
            ErrorCode.INTERNAL_ERROR, f"This machine's temporary folder does not take the document: {error.strerror}."
        ) from error


@contextmanager
def _faults_named() -> Iterator[None]:
    try:
        yield
    except S3Error as error:
        if error.code in ("NoSuchKey", "NoSuchObject"):
            raise ObjectMissingError(str(error.resource)) from error
        if error.code == "PreconditionFailed":
            raise ObjectChangedError(str(error.resource)) from error
        raise TemporaryError(ErrorCode.STORE_UNAVAILABLE, f"The object store refused: {error.code}.") from error
    except ServerError as error:
        raise TemporaryError(
            ErrorCode.STORE_UNAVAILABLE, f"The object store refused: HTTP status {error.status_code}."
        ) from error
    except MinioException as error:
        raise TemporaryError(
            ErrorCode.STORE_UNAVAILABLE, "What answers at the object store's address speaks no S3: check the endpoint."
        ) from error
    except (HTTPError, OSError, ValueError) as error:
        raise TemporaryError(
            ErrorCode.STORE_UNAVAILABLE, f"The object store cannot be reached ({type(error).__name__})."
        ) from error
