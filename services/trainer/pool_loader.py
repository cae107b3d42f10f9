"""Feeds Ultralytics' trainer with windows from a pool of pages, which drawn ones join as the run goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from services.trainer.packing import label_of, listed
from services.trainer.page_pool import Cut, PagePool, PooledPage
from services.trainer.page_stream import PageStream
from services.trainer.partial_labels import FULLY_LABELLED

_FIRST_PAGES = 256  # drawn pages that training waits for, so that the first steps do not see the same few
_LOOK_AGAIN_S = 0.2


@dataclass(frozen=True)
class Feed:
    """How batches are made: windows a batch and an epoch, how they are cut, the share of drawn pages."""

    batch: int
    windows: int
    cut: Cut
    drawn_share: float
    seed: int


class PoolLoader:
    """Batches of windows, in the shape of the data loader that Ultralytics expects. None is left incomplete."""

    num_workers = 0
    drop_last = True

    def __init__(self, pool: PagePool, stream: PageStream, feed: Feed) -> None:
        self._pool, self._stream, self._feed = pool, stream, feed
        self._rng = np.random.default_rng(feed.seed)
        self.batch_size = feed.batch
        self.dataset = self.sampler = range(feed.windows)

    def __len__(self) -> int:
        return self._feed.windows // self._feed.batch

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self._wait_for_pages()
        for _ in range(len(self)):
            self._take_in()
            yield self._pool.windows(self._chosen(), self._feed.cut, self._rng)

    def close(self) -> None:
        """Stop drawing pages."""
        self._stream.close()

    def _take_in(self) -> None:
        for page in self._stream.arrived():
            self._pool.add(page)

    def _wait_for_pages(self) -> None:
        while len(self._pool) < self._pool.kept + min(_FIRST_PAGES, self._pool.room):
            time.sleep(_LOOK_AGAIN_S)
            self._take_in()

    def _chosen(self) -> list[int]:
        drawn = round(self._feed.batch * self._feed.drawn_share)
        kept = self._rng.integers(0, self._pool.kept, self._feed.batch - drawn)
        return [*kept.tolist(), *self._rng.integers(self._pool.kept, len(self._pool), drawn).tolist()]


def packed_pages(listing: Path) -> Sequence[PooledPage]:
    """The pages that a packing's list names."""
    with ThreadPoolExecutor() as readers:
        return list(readers.map(_packed_page, listed(listing)))


def _packed_page(image: Path) -> PooledPage:
    with Image.open(image) as opened:
        pixels = torch.from_numpy(np.array(opened.convert("RGB")))
    boxes = np.array([line.split() for line in label_of(image).read_text().splitlines()], np.float32).reshape(-1, 5)
    return PooledPage(pixels, boxes, image.name.startswith(FULLY_LABELLED))
