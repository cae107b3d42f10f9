"""The renderer's child process: reads requests on stdin, writes framed answers, trusts no document it is given.

It is started with a bare environment (no credentials), few rights and hard limits, because image and PDF decoders are
where hostile files do their harm. It imports little, so that a replacement is ready within a tenth of a second.
"""

import os
import resource
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from shared.domain.errors import DocumentError, ErrorCode
from shared.pages.document import DrawnPage
from shared.pages.limits import RenderLimits
from shared.pages.protocol import Request, frame
from shared.pages.render import count_pages, draw_page, draw_pages

_CPU_GRACE_SECONDS = 2
_MAX_OPEN_FILES = 64


def main() -> None:
    """Serve requests until the parent closes our stdin, by intent or by dying."""
    _leave_the_end_to_the_parent()
    answers = _take_over_stdout()
    _give_up_rights()
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    answers.write(frame({"ready": True}))
    answers.flush()
    for line in sys.stdin.buffer:
        answers.write(frame({"begun": True}))
        answers.flush()  # from here on a death is the document's doing
        for part in _answer(Request.decode(line)):
            answers.write(part)
        answers.flush()


def _answer(request: Request) -> Iterator[bytes]:
    """Frames of one answer: the count, or pages as they are drawn up to the last; or an error in place of any."""
    try:
        _limit(request.limits)
        if request.fit is None:
            yield frame({"pages": count_pages(Path(request.path), request.limits)})
            return
        for page, is_last in _pages(request):
            yield from _page_frames(page, is_last)
    except DocumentError as error:
        yield _failure(error.code, error.detail)
    except MemoryError:
        yield _failure(ErrorCode.RENDER_MEMORY, "")
    except Exception as error:
        yield _failure(ErrorCode.INTERNAL_ERROR, f"The renderer failed: {type(error).__name__}: {error}")


def _pages(request: Request) -> Iterator[tuple[DrawnPage, bool]]:
    assert request.fit is not None
    if request.page is None:
        return draw_pages(Path(request.path), request.limits, request.fit)
    return iter([(draw_page(Path(request.path), request.limits, request.fit, request.page), True)])


def _page_frames(page: DrawnPage, is_last: bool) -> Iterator[bytes]:
    width, height = page.image.size
    bands = len(page.image.getbands())
    pixels = page.image.tobytes()  # before the header: an answer must not break off between the two
    header: dict[str, Any] = {"page": page.number, "width": page.width, "height": page.height, "tone": page.tone}
    yield frame(header | {"small_print": page.small_print, "raster": [height, width, bands], "last": is_last})
    yield pixels


def _failure(code: ErrorCode, detail: str) -> bytes:
    return frame({"error": code.value, "detail": detail})


def _leave_the_end_to_the_parent() -> None:
    """A service manager tells all processes of a service to end, and the parent needs us for the jobs it ends first.

    The parent ends us by SIGKILL, and :func:`_exit_with_parent` sees when it is gone.
    """
    for one in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)


def _take_over_stdout() -> Any:
    """Keep the answer pipe to ourselves, and silence: native libraries print what they think of a bad file.

    Until here errors went to the parent's stderr, where a broken installation should show.
    """
    pipe = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return pipe


def _give_up_rights() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_MAX_OPEN_FILES, _MAX_OPEN_FILES))
    with suppress(OSError):  # if the machine runs out of memory, this process goes first, not the worker
        Path("/proc/self/oom_score_adj").write_text("1000")


def _limit(limits: RenderLimits) -> None:
    """Last guards of this document: the parent's clock comes first, these hold also if the parent is gone."""
    if sys.platform != "darwin":  # which knows no such limit
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, hard))
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime + limits.seconds) + _CPU_GRACE_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))


def _exit_with_parent() -> None:
    """End the process when the parent is gone, even in the middle of a page.

    Not PR_SET_PDEATHSIG: that signal comes when the *thread* that started us ends, and workers' threads come and go.
    """
    poll = select.poll()
    poll.register(0, 0)  # no events asked for: only the hang-up is reported
    poll.poll()
    os._exit(0)


if __name__ == "__main__":
    main()
