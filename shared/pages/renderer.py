"""Documents to page rasters, in a pool of child processes that bad files may crash, fill or hang at no one's cost."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from shared.domain.detection import Tone
from shared.domain.errors import DocumentError, ErrorCode, TemporaryError
from shared.domain.fit import ANY, Fit
from shared.pages.limits import RenderLimits
from shared.pages.process import RendererProcess, memory_error
from shared.pages.protocol import Request

_DOCUMENTS_PER_PROCESS = 1000
"""Replace a child after this many documents: whatever decoders leak goes with it."""


@dataclass(frozen=True, slots=True, eq=False)
class RenderedPage:
    """One page: 1-based number, full size in pixels as displayed, a scaled raster, uint8 [height, width, 3] RGB, tone.

    A greyscale page's raster is a read-only view that repeats one channel; copy it before writing to it.
    ``small_print``: whether the raster fills what was asked of a page in small print.
    """

    number: int
    width: int
    height: int
    raster: np.ndarray[Any, np.dtype[np.uint8]]
    tone: Tone
    small_print: bool = False


class Renderer:
    """A pool of ``processes`` children. Thread-safe; a caller waits while every child is busy.

    All methods raise DocumentError with the code that fits (the file is bad, too large, or harmed its renderer), or
    TemporaryError when the machine is at fault and trying again may help.
    """

    def __init__(self, processes: int) -> None:
        if processes < 1:
            raise ValueError("a renderer needs at least one process")
        self._closed = False
        self._free: queue.LifoQueue[RendererProcess | None] = queue.LifoQueue()
        for _ in range(processes):
            self._free.put(RendererProcess())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def pages(self, path: Path, fit: Fit, limits: RenderLimits) -> Iterator[RenderedPage]:
        """Every page in order, its raster scaled to ``fit``, which may ask for more where print is small.

        Pages are drawn while earlier ones are used, at most about two ahead. Ending the iteration early is fine;
        close the iterator (or drop it) to free its child. The file must stay until then.
        """
        request = Request(str(path.absolute()), limits, fit)
        with self._process() as process:
            process.ask(request)
            while not (frame := _checked(process.frame()))["last"]:
                yield _rendered(process, frame)
            last = _rendered(process, frame)
        yield last  # the child is free already

    def picture(self, path: Path, page_number: int, width: int, limits: RenderLimits) -> RenderedPage:
        """One page (1-based) for people to look at, its raster ``width`` pixels wide."""
        request = Request(str(path.absolute()), limits, Fit(width, ANY), page_number)
        with self._process() as process:
            process.ask(request)
            return _rendered(process, _checked(process.frame()))

    def count_pages(self, path: Path, limits: RenderLimits) -> int:
        """How many pages a document has, by opening it and drawing none."""
        with self._process() as process:
            process.ask(Request(str(path.absolute()), limits))
            return int(_checked(process.frame())["pages"])

    def close(self) -> None:
        """End all children; those in use when their callers let go of them."""
        self._closed = True
        waiting = 0
        while not self._free.empty():
            process = self._free.get()
            waiting += 1
            if process:
                process.kill()
        for _ in range(waiting):
            self._free.put(None)

    @contextmanager
    def _process(self) -> Iterator[RendererProcess]:
        """A child of one's own. It goes back to the pool only from a finished answer; otherwise it is replaced."""
        process = self._take()
        reusable = False
        try:
            yield process
            reusable = True
        except DocumentError as error:
            reusable = process.is_alive and error.code is not ErrorCode.RENDER_MEMORY
            raise
        finally:
            self._give_back(process, reusable and process.documents < _DOCUMENTS_PER_PROCESS)

    def _take(self) -> RendererProcess:
        process = self._free.get()
        if self._closed:
            self._give_back(process)
            raise RuntimeError("the renderer is closed")
        if process is not None and process.is_alive:
            return process
        try:
            return RendererProcess()
        except OSError:
            self._free.put(None)
            raise

    def _give_back(self, process: RendererProcess | None, reusable: bool = False) -> None:
        """Keep a good child; else start its successor now, so that the next caller finds it ready."""
        if process is not None and (not reusable or self._closed):
            process.kill()
            process = None
        if process is None and not self._closed:
            with suppress(OSError):  # tried again, and reported, when it is needed
                process = RendererProcess()
        self._free.put(process)


def _checked(frame: dict[str, Any]) -> dict[str, Any]:
    """The frame, unless it reports an error."""
    if "error" not in frame:
        return frame
    code = ErrorCode(frame["error"])
    if code is ErrorCode.RENDER_MEMORY:
        raise memory_error()
    if code is ErrorCode.INTERNAL_ERROR:
        raise TemporaryError(code, frame["detail"])
    raise DocumentError(code, frame["detail"])


def _rendered(process: RendererProcess, frame: dict[str, Any]) -> RenderedPage:
    height, width, bands = frame["raster"]
    raster = process.raster((height, width, bands))
    whole = np.broadcast_to(raster, (height, width, 3))
    size = frame["width"], frame["height"]
    return RenderedPage(frame["page"], *size, whole, Tone(frame["tone"]), frame["small_print"])
