"""Pages drawn while a network trains on them: processes that never stop, each page seen a few times and then gone.

A network on a GPU soon knows any stored set by heart. Half of the pages are drawn from nothing, half are real pages
signed anew.
"""

from __future__ import annotations

import io
import itertools
import os
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import multiprocessing

from services.trainer.packing import reduce_page
from services.trainer.page_pool import PooledPage
from services.trainer.synthesis.crops import real_ink
from services.trainer.synthesis.page import SyntheticPage
from services.trainer.synthesis.resigning import pages_to_sign
from services.trainer.synthesis.sheet import CLASSES
from services.trainer.synthesis.writing_out import Series, normalised

_WAITING = 256  # finished pages between the processes and the network, before the processes wait
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
Drawn = tuple[torch.Tensor, np.ndarray[Any, Any], bool]


@dataclass(frozen=True)
class Drawing:
    """What the processes draw: pages reduced to long_side px, the first of signatures, initials and stamps labelled."""

    from_nothing: Series
    signed_anew: Series
    long_side: int
    kinds: int

    def page(self, number: int) -> Drawn:
        """Page `number`, the same whenever it is drawn: its RGB pixels, its boxes, whether every kind is marked."""
        series = self.signed_anew if number % 2 else self.from_nothing
        page, data, _ = series.scanned(number)
        reduced, _ = reduce_page(io.BytesIO(data), self.long_side)
        return torch.from_numpy(np.array(reduced.convert("RGB"))), _boxes(page, self.kinds), not page.only_signatures


def drawing_of(data: Path, seed: int, held_out: float, long_side: int, kinds: int) -> Drawing:
    """Pages that borrow from a folder's train split, but for the share of its groups that is held out."""
    real = real_ink(data, held_out=held_out)
    drawn = Series(seed, data, all_kinds=True, real=real)
    signed = Series(seed, data, all_kinds=True, real=real, resigned=pages_to_sign(data, held_out))
    return Drawing(drawn, signed, long_side, kinds)


def _boxes(page: SyntheticPage, kinds: int) -> np.ndarray[Any, Any]:
    marked = [(CLASSES[kind], box) for kind, box in page.boxes if kind in CLASSES]
    rows = [(kind, *normalised(box, page.pixels)) for kind, box in marked if kind < kinds]
    return np.array(rows, np.float32).reshape(-1, 5)


class PageStream:
    """Draws pages in as many processes, from its creation until it is closed."""

    def __init__(self, drawing: Drawing, processes: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._results: Any = context.Queue(_WAITING)
        self._workers = [
            context.Process(target=_draw, args=(drawing, first, processes, self._results), daemon=True)
            for first in range(processes)
        ]
        with _one_thread_each():
            for worker in self._workers:
                worker.start()
        self._ready: queue.Queue[PooledPage] = queue.Queue(_WAITING)
        self._closed = threading.Event()
        threading.Thread(target=self._receive, daemon=True).start()

    def arrived(self) -> list[PooledPage]:
        """The pages that were finished since the last call. RuntimeError: every process has died."""
        if not any(worker.is_alive() for worker in self._workers):
            raise RuntimeError("no process draws pages any more: see above why each of them stopped")
        return [self._ready.get() for _ in range(self._ready.qsize())]

    def close(self) -> None:
        """Stop the processes."""
        self._closed.set()
        for worker in self._workers:
            worker.terminate()
            worker.join()
        while not self._ready.empty():  # the thread that receives them may be waiting for room
            self._ready.get()

    def _receive(self) -> None:
        while not self._closed.is_set():
            try:
                pixels, boxes, fully_labelled = self._results.get(timeout=0.5)
            except (queue.Empty, OSError, EOFError):  # none as yet, or one that went with the process that drew it
                continue
            ready = pixels.pin_memory() if torch.cuda.is_available() else pixels  # copied without making the GPU wait
            self._ready.put(PooledPage(ready, boxes, fully_labelled))


def _draw(drawing: Drawing, first: int, step: int, results: Any) -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    parent = parent_process()
    for number in _numbers(first, step):
        page = drawing.page(number)
        while parent is None or parent.is_alive():  # it may be killed, and then stops nobody
            if _put(results, page):
                break
        else:
            return


def _numbers(first: int, step: int) -> Iterator[int]:
    """The pages one of the processes draws: both sorts by turns, so that half are of each however long each takes."""
    for pair in itertools.count(first, step):
        yield from (2 * pair, 2 * pair + 1)


def _put(results: Any, page: Drawn) -> bool:
    try:
        results.put(page, timeout=1)
    except queue.Full:
        return False
    return True


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes started now do not each take every core for themselves."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
