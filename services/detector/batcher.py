"""One thread owns the model; callers on any thread share its forwards."""

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

Observe = Callable[[int, float], None]
"""Told after each forward: how many items, how many seconds."""


class BrokenError(Exception):
    """Nothing can be run any more, whatever the item: this process is of no more use."""


@dataclass(slots=True, eq=False)
class _Waiting(Generic[Item, Result]):
    item: Item
    key: Hashable
    since: float
    future: Future[Result] = field(default_factory=Future)


class Batcher(Generic[Item, Result]):
    """Gathers items into batches of equal ``key`` and calls ``run`` on each batch from one thread.

    A batch leaves when it has ``max_batch`` items or its oldest has waited ``max_wait_s``. When a batch fails, its
    items are run one by one, so that only those that fail alone get the error. Batches span callers.

    ``self_test`` is run after an item has failed alone. When it raises too, the item gets BrokenError instead.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Sequence[Result]],
        key: Callable[[Item], Hashable],
        max_batch: int,
        max_wait_s: float,
        observe: Observe = lambda _count, _seconds: None,
        self_test: Callable[[], object] = lambda: None,
    ) -> None:
        if max_batch < 1:
            raise ValueError("a batch holds at least one item")
        self._run = run
        self._key = key
        self._max_batch = max_batch
        self._max_wait_s = max_wait_s
        self._observe = observe
        self._self_test = self_test
        self._queue: deque[_Waiting[Item, Result]] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="batcher", daemon=True)
        self._thread.start()

    def submit(self, item: Item) -> Future[Result]:
        """Queue an item; the future carries its result, or what ``run`` raised for it. Canceling it drops the item."""
        waiting: _Waiting[Item, Result] = _Waiting(item, self._key(item), time.monotonic())
        with self._changed:
            if self._closing:
                raise RuntimeError("the batcher is closed")
            self._queue.append(waiting)
            self._changed.notify()
        return waiting.future

    def close(self, drain: bool = True) -> None:
        """Take no more; finish what is queued, or with ``drain`` off cancel it. Returns when the thread has ended."""
        with self._changed:
            self._closing = True
            if not drain:
                for waiting in self._queue:
                    waiting.future.cancel()
                self._queue.clear()
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while batch := self._next_batch():
            taken = [waiting for waiting in batch if waiting.future.set_running_or_notify_cancel()]
            if taken:
                self._carry_out(taken)

    def _next_batch(self) -> list[_Waiting[Item, Result]]:
        """The oldest item and others like it, once they are enough or old enough; empty when closed and drained."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            while self._queue:
                oldest = self._queue[0]
                batch = [waiting for waiting in self._queue if waiting.key == oldest.key][: self._max_batch]
                patience = oldest.since + self._max_wait_s - time.monotonic()
                if len(batch) == self._max_batch or patience <= 0 or self._closing:
                    self._queue = deque(waiting for waiting in self._queue if waiting not in batch)
                    return batch
                self._changed.wait(patience)
            return []

    def _carry_out(self, batch: list[_Waiting[Item, Result]]) -> None:
        try:
            results = self._timed([waiting.item for waiting in batch])
        except Exception as error:
            # What failed for want of memory holds all it had until then, which the next run needs.
            traceback.clear_frames(error.__traceback__)
            if len(batch) == 1:
                batch[0].future.set_exception(self._fault(error))
            else:
                for waiting in batch:
                    self._carry_out([waiting])
            return
        for waiting, result in zip(batch, results, strict=True):
            waiting.future.set_result(result)

    def _fault(self, error: Exception) -> Exception:
        """What is wrong with an item that failed alone: ``error``, or nothing, and all is broken."""
        try:
            self._self_test()
        except Exception as fault:
            broken = BrokenError(f"after {error!r}, the self-test fails as well: {fault!r}")
            broken.__cause__ = error
            return broken
        return error

    def _timed(self, items: list[Item]) -> Sequence[Result]:
        started = time.perf_counter()
        results = self._run(items)
        self._observe(len(items), time.perf_counter() - started)
        if len(results) != len(items):
            raise ValueError(f"{len(results)} results for {len(items)} items")
        return results
