"""The cache of page pictures is bounded and forgets whole jobs."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from services.gateway.page_cache import PageCache, PageKey


def key(number: int, job_id: UUID | None = None) -> PageKey:
    return PageKey(job_id or UUID(int=1), number, 100, False, "v")


@pytest.fixture
def cache() -> Iterator[PageCache]:
    cache = PageCache(100)
    yield cache
    cache.close()


def test_the_least_recently_used_go_first(cache: PageCache) -> None:
    for number in (1, 2):
        cache.put(key(number), b"x" * 50)
    assert cache.get(key(1)) == b"x" * 50
    cache.put(key(3), b"y" * 50)
    assert cache.get(key(2)) is None
    assert cache.get(key(1)) == b"x" * 50
    assert cache.get(key(3)) == b"y" * 50
    assert len(list(cache._folder.iterdir())) == 2


def test_replaced_pictures_free_their_room(cache: PageCache) -> None:
    for _ in range(5):
        cache.put(key(1), b"x" * 60)
    cache.put(key(2), b"y" * 40)
    assert cache.get(key(1)) is not None


def test_what_is_larger_than_all_is_not_kept(cache: PageCache) -> None:
    cache.put(key(1), b"x" * 40)
    cache.put(key(2), b"x" * 101)
    assert cache.get(key(2)) is None
    assert cache.get(key(1)) is not None


def test_everything_can_be_forgotten_and_then_there_is_room(cache: PageCache) -> None:
    for number in (1, 2):
        cache.put(key(number, uuid4()), b"x" * 50)
    cache.forget_all()
    assert list(cache._folder.iterdir()) == []
    for number in (1, 2):
        cache.put(key(number), b"y" * 50)
    assert [cache.get(key(number)) for number in (1, 2)] == [b"y" * 50] * 2


def test_a_job_is_forgotten_with_all_its_pages(cache: PageCache) -> None:
    job_id, other = uuid4(), uuid4()
    cache.put(key(1, job_id), b"x" * 30)
    cache.put(key(2, job_id), b"x" * 30)
    cache.put(key(1, other), b"y" * 30)
    cache.forget(job_id)
    cache.forget(job_id)
    assert [cache.get(key(number, job_id)) for number in (1, 2)] == [None, None]
    assert cache.get(key(1, other)) == b"y" * 30
    assert len(list(cache._folder.iterdir())) == 1
