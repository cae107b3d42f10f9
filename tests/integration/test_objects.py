"""The object store hands over the bytes that were meant, or says that there are others now."""

import io

import pytest

from shared.objects import PART_BYTES, ObjectChangedError, ObjectMissingError, ObjectStore


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
