import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from services.detector.batcher import Batcher


class Doubler:
    """Doubles numbers; keeps the batches it was given; refuses 13; waits at the gate when it is closed."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.threads: set[int] = set()
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.threads.add(threading.get_ident())
        self.gate.wait(30)
        self.batches.append(list(numbers))
        if 13 in numbers:
            raise ArithmeticError("thirteen")
        return [2 * number for number in numbers]


@pytest.fixture
def doubler() -> Doubler:
    return Doubler()


@pytest.fixture
def batcher(doubler: Doubler) -> Iterator[Batcher[int, int]]:
    started = Batcher(doubler, lambda number: number % 2, max_batch=4, max_wait_s=0.05)
    yield started
    doubler.gate.set()
    started.close()


def hold(batcher: Batcher[int, int], doubler: Doubler) -> Future[int]:
    """Occupy the batcher with one item, so that what comes next queues up until the gate opens."""
    doubler.gate.clear()
    first = batcher.submit(1000)
    deadline = time.monotonic() + 30
    while not first.running() and time.monotonic() < deadline:
        time.sleep(0.001)
    return first


def test_many_callers_share_forwards_on_one_thread(batcher: Batcher[int, int], doubler: Doubler) -> None:
    with ThreadPoolExecutor(16) as threads:
        results = list(threads.map(lambda number: batcher.submit(number).result(5), range(100, 300)))
    assert results == [2 * number for number in range(100, 300)]
    assert len(doubler.threads) == 1
    assert len(doubler.batches) < 200


def test_batches_hold_one_kind_and_no_more_than_allowed(batcher: Batcher[int, int], doubler: Doubler) -> None:
    hold(batcher, doubler)
    futures = [batcher.submit(number) for number in range(1, 11)]
    doubler.gate.set()
    assert [future.result(5) for future in futures] == [2 * number for number in range(1, 11)]
    assert doubler.batches == [[1000], [1, 3, 5, 7], [2, 4, 6, 8], [9], [10]]


def test_a_lone_item_waits_for_company_only_so_long(batcher: Batcher[int, int]) -> None:
    started = time.monotonic()
    assert batcher.submit(3).result(5) == 6
    assert 0.045 <= time.monotonic() - started < 2


def test_a_full_batch_does_not_wait(doubler: Doubler) -> None:
    batcher = Batcher(doubler, lambda _: 0, max_batch=2, max_wait_s=60)
    assert [future.result(5) for future in [batcher.submit(1), batcher.submit(2)]] == [2, 4]
    batcher.close()


def test_a_bad_item_fails_alone(batcher: Batcher[int, int], doubler: Doubler) -> None:
    hold(batcher, doubler)
    futures = [batcher.submit(number) for number in (11, 13, 15, 17)]
    doubler.gate.set()
    with pytest.raises(ArithmeticError, match="thirteen"):
        futures[1].result(5)
    assert [futures[index].result(5) for index in (0, 2, 3)] == [22, 30, 34]
    assert batcher.submit(1).result(5) == 2


def test_what_a_failed_run_held_is_let_go_before_the_next() -> None:
    """Memory of a forward that ran out of it is needed to run its pages one by one."""
    left: list[list[weakref.ref[np.ndarray[Any, Any]]]] = []
    kept: list[weakref.ref[np.ndarray[Any, Any]]] = []

    def run(numbers: Sequence[int]) -> list[int]:
        left.append([one for one in kept if one() is not None])
        activations = np.empty(len(numbers))
        kept.append(weakref.ref(activations))
        raise MemoryError

    batcher: Batcher[int, int] = Batcher(run, lambda _: 0, max_batch=2, max_wait_s=60)
    for future in [batcher.submit(1), batcher.submit(2)]:
        with pytest.raises(MemoryError):
            future.result(5)
    batcher.close()
    assert left == [[], [], []]


def test_a_result_too_few_is_an_error_not_a_hang() -> None:
    batcher: Batcher[int, int] = Batcher(lambda _: [], lambda _: 0, max_batch=2, max_wait_s=0)
    with pytest.raises(ValueError, match="0 results for 1 items"):
        batcher.submit(1).result(5)
    batcher.close()


def test_canceled_items_are_dropped(batcher: Batcher[int, int], doubler: Doubler) -> None:
    hold(batcher, doubler)
    futures = [batcher.submit(number) for number in (1, 3, 5)]
    assert futures[1].cancel()
    doubler.gate.set()
    assert futures[2].result(5) == 10
    assert doubler.batches[1:] == [[1, 5]]


def test_closing_finishes_what_is_queued(doubler: Doubler) -> None:
    batcher = Batcher(doubler, lambda _: 0, max_batch=4, max_wait_s=60)
    futures = [batcher.submit(number) for number in range(6)]
    batcher.close()
    assert [future.result(0) for future in futures] == [0, 2, 4, 6, 8, 10]
    with pytest.raises(RuntimeError, match="closed"):
        batcher.submit(1)


def test_closing_without_draining_cancels_the_rest(doubler: Doubler) -> None:
    batcher = Batcher(doubler, lambda _: 0, max_batch=4, max_wait_s=0)
    first = hold(batcher, doubler)
    rest = [batcher.submit(number) for number in range(6)]
    threading.Timer(0.05, doubler.gate.set).start()
    batcher.close(drain=False)
    assert first.result(0) == 2000
    assert all(future.cancelled() for future in rest)


def test_each_forward_is_told(doubler: Doubler) -> None:
    seen: list[tuple[int, float]] = []
    batcher = Batcher(doubler, lambda _: 0, 8, 0.02, observe=lambda count, seconds: seen.append((count, seconds)))
    for future in [batcher.submit(number) for number in range(5)]:
        future.result(5)
    batcher.close()
    assert sum(count for count, _ in seen) == 5
    assert all(seconds >= 0 for _, seconds in seen)
