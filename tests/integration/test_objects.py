"""The object store hands over the bytes that were meant, or says that there are others now."""

import io
from pathlib import Path

import pytest

from shared.domain.errors import ErrorCode, TemporaryError
from shared.objects import PART_BYTES, ObjectChangedError, ObjectMissingError, ObjectStore
from tests.servers import Servers


@pytest.mark.parametrize("size", [3, PART_BYTES + 1], ids=["in one piece", "in parts"])
def test_only_what_was_looked_at_is_read_and_copied(store: ObjectStore, size: int) -> None:
    source, target = "tests/source", "tests/target"
    store.delete(target)

    def put(letter: bytes) -> None:
        store.put(source, io.BytesIO(letter * size), size, "application/octet-stream")

    put(b"a")
    seen = store.state(source)
    assert seen.size == size
    assert b"".join(store.read(source, seen.etag)) == b"a" * size
    put(b"b")
    with pytest.raises(ObjectChangedError):
        list(store.read(source, seen.etag))
    with pytest.raises(ObjectChangedError):
        store.copy(source, target, seen.etag)
    with pytest.raises(ObjectMissingError):
        store.state(target)
    store.copy(source, target, store.state(source).etag)
    assert b"".join(store.read(target)) == b"b" * size


def test_what_cannot_be_fetched_says_whether_the_store_or_the_disk_is_at_fault(
    store: ObjectStore, servers: Servers, tmp_path: Path
) -> None:
    store.put("tests/source", io.BytesIO(b"content"), 7, "application/octet-stream")
    store.fetch("tests/source", tmp_path / "document")
    assert (tmp_path / "document").read_bytes() == b"content"

    with pytest.raises(TemporaryError) as full:
        store.fetch("tests/source", Path("/dev/full"))
    assert full.value.code is ErrorCode.INTERNAL_ERROR
    assert "temporary folder does not take the document: No space left on device" in full.value.detail
    with pytest.raises(TemporaryError) as closed:
        store.fetch("tests/source", tmp_path / "missing" / "document")
    assert closed.value.code is ErrorCode.INTERNAL_ERROR
    assert str(tmp_path) not in closed.value.detail, "a path of ours is told to clients"

    with pytest.raises(ObjectMissingError):
        store.fetch("tests/none", tmp_path / "document")
    servers.seaweedfs.kill()
    with pytest.raises(TemporaryError) as away:
        store.fetch("tests/source", tmp_path / "document")
    assert away.value.code is ErrorCode.STORE_UNAVAILABLE
