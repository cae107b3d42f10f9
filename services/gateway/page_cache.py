"""Drawn pages kept on disk, the least recently used dropped first. Lost when the gateway ends; that costs time only."""

import shutil
import tempfile
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4


@dataclass(frozen=True, slots=True)
class PageKey:
    """One picture of one page. ``version`` changes when the same request would give other pixels."""

    job_id: UUID
    number: int
    width: int
    annotated: bool
    version: str


class PageCache:
    """At most ``limit`` bytes of pictures. Thread-safe."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._folder = Path(tempfile.mkdtemp(prefix="paraphe-pages-"))
        self._lock = threading.Lock()
        self._files: OrderedDict[PageKey, tuple[Path, int]] = OrderedDict()
        self._of_job: dict[UUID, set[PageKey]] = {}
        self._size = 0

    def get(self, key: PageKey) -> bytes | None:
        """The picture, if it is still there."""
        with self._lock:
            if key not in self._files:
                return None
            self._files.move_to_end(key)
            return self._files[key][0].read_bytes()

    def put(self, key: PageKey, picture: bytes) -> None:
        """Keep it, and make room."""
        if len(picture) > self._limit:
            return
        path = self._folder / f"{uuid4().hex}.png"
        path.write_bytes(picture)
        with self._lock:
            self._drop(key)
            self._files[key] = (path, len(picture))
            self._of_job.setdefault(key.job_id, set()).add(key)
            self._size += len(picture)
            while self._size > self._limit:
                self._drop(next(iter(self._files)))

    def forget(self, job_id: UUID) -> None:
        """Drop a job's pictures: something happened to it, perhaps its erasure."""
        if job_id not in self._of_job:
            return
        with self._lock:
            for key in list(self._of_job.get(job_id, ())):
                self._drop(key)

    def forget_all(self) -> None:
        """Drop every picture: something may have happened to any job."""
        with self._lock:
            for key in list(self._files):
                self._drop(key)

    def close(self) -> None:
        """Delete all pictures."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _drop(self, key: PageKey) -> None:
        if key not in self._files:
            return
        path, size = self._files.pop(key)
        path.unlink(missing_ok=True)
        self._size -= size
        self._of_job[key.job_id].discard(key)
        if not self._of_job[key.job_id]:
            del self._of_job[key.job_id]
