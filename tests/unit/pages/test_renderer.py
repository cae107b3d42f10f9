import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.domain.errors import DocumentError, ErrorCode, TemporaryError
from shared.domain.fit import Fit
from shared.pages.limits import RenderLimits
from shared.pages.renderer import Renderer
from tests.own_process import in_its_own_process
from tests.unit.pages.making import endless_pdf, expanding_pdf, pdf_of_pages, saved, striped

LIMITS = RenderLimits()
SMALL_MEMORY = RenderLimits(memory_bytes=256 * 1024**2)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.png"
    path.write_bytes(saved(striped(), "PNG"))
    return path


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.pdf"
    path.write_bytes(pdf_of_pages(40))
    return path


def children() -> set[int]:
    """Processes this one has started and not seen end."""
    tasks = Path("/proc/self/task").iterdir()
    return {int(pid) for task in tasks for pid in (task / "children").read_text().split()}


def memory_used(pid: int | None = None) -> int:
    """The most a process (this one) has used at any time, in bytes; 0 of one that has ended."""
    try:
        lines = Path(f"/proc/{pid or 'self'}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def eventually(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_a_picture_of_one_page(renderer: Renderer, book: Path) -> None:
    picture = renderer.picture(book, 3, 50, LIMITS)
    assert (picture.number, picture.width, picture.height) == (3, 200, 200)
    assert picture.raster.shape == (50, 50, 3)


@pytest.mark.parametrize("number", [-1, 0, 41])
def test_a_page_that_is_not_there(renderer: Renderer, book: Path, number: int) -> None:
    with pytest.raises(DocumentError) as caught:
        renderer.picture(book, number, 50, LIMITS)
    assert caught.value.code is ErrorCode.PAGE_OUT_OF_RANGE


def test_counting_pages_draws_none(renderer: Renderer, book: Path, tmp_path: Path) -> None:
    assert renderer.count_pages(book, LIMITS) == 40
    endless = tmp_path / "endless.pdf"
    endless.write_bytes(endless_pdf())
    assert renderer.count_pages(endless, RenderLimits(seconds=5)) == 1


def test_pages_stream_while_the_reader_is_slow(book: Path) -> None:
    with Renderer(1) as renderer:
        pages = renderer.pages(book, Fit(640, 640), RenderLimits(seconds_per_page=2))
        numbers = []
        for one in pages:
            numbers.append(one.number)
            if one.number == 2:
                time.sleep(2.2)  # longer than the limit: the reader's time is its own
        assert numbers == list(range(1, 41))


def test_the_child_is_free_once_the_last_page_is_drawn(page: Path) -> None:
    before = children()
    with Renderer(1) as renderer:
        started = children() - before
        for _ in range(3):
            waiting = renderer.pages(page, Fit(100, 100), LIMITS)
            assert next(waiting).number == 1
            assert renderer.count_pages(page, LIMITS) == 1
        assert children() - before == started


def test_a_renderer_that_cannot_start_is_not_the_document_s_fault(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with Renderer(1) as renderer, pytest.raises(TemporaryError) as caught:
        list(renderer.pages(page, Fit(100, 100), LIMITS))
    assert caught.value.code is ErrorCode.INTERNAL_ERROR


def test_leaving_early_frees_the_child(book: Path, page: Path) -> None:
    with Renderer(1) as renderer:
        for _ in range(3):
            pages = renderer.pages(book, Fit(100, 100), LIMITS)
            assert next(pages).number == 1
            pages.close()  # type: ignore[attr-defined]
        assert len(list(renderer.pages(page, Fit(100, 100), LIMITS))) == 1


@pytest.mark.parametrize("crash", [signal.SIGSEGV, signal.SIGABRT])
def test_a_child_that_crashes_is_replaced(book: Path, page: Path, crash: signal.Signals) -> None:
    """And with little memory in use, an abort is no want of it, however much this process has used."""
    assert memory_used() > SMALL_MEMORY.memory_bytes / 4, "this process counts as small"
    before = children()
    with Renderer(1) as renderer:
        pages = renderer.pages(book, Fit(640, 640), SMALL_MEMORY)
        next(pages)
        (child,) = children() - before
        os.kill(child, crash)
        with pytest.raises(DocumentError) as caught:
            list(pages)
        assert caught.value.code is ErrorCode.RENDER_CRASH
        assert len(list(renderer.pages(page, Fit(100, 100), LIMITS))) == 1


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_child_told_to_end_serves_its_parent_on(book: Path, end: signal.Signals) -> None:
    before = children()
    with Renderer(1) as renderer:
        pages = renderer.pages(book, Fit(640, 640), LIMITS)
        next(pages)
        os.kill((children() - before).pop(), end)  # as systemd does when the service stops
        assert len(list(pages)) == 39


def test_a_child_that_somebody_ended_is_not_the_document_s_fault(book: Path, page: Path) -> None:
    before = children()
    with Renderer(1) as renderer:
        pages = renderer.pages(book, Fit(640, 640), LIMITS)
        next(pages)
        os.kill((children() - before).pop(), signal.SIGUSR1)
        with pytest.raises(TemporaryError):
            list(pages)
        assert len(list(renderer.pages(page, Fit(100, 100), LIMITS))) == 1


@pytest.mark.parametrize("limits", [LIMITS, SMALL_MEMORY], ids=["small parent", "large parent"])
def test_a_child_the_kernel_killed_for_others_use_of_memory_is_not_the_document_s_fault(
    book: Path, page: Path, limits: RenderLimits
) -> None:
    if limits is SMALL_MEMORY:
        assert memory_used() > limits.memory_bytes / 4, "this process counts as small"
    before = children()
    with Renderer(1) as renderer:
        pages = renderer.pages(book, Fit(640, 640), limits)
        next(pages)
        os.kill((children() - before).pop(), signal.SIGKILL)
        with pytest.raises(TemporaryError, match="memory") as caught:
            list(pages)
        assert caught.value.code is ErrorCode.INTERNAL_ERROR
        assert len(list(renderer.pages(page, Fit(100, 100), limits))) == 1


def test_a_child_the_kernel_killed_once_it_had_filled_the_memory_is_the_document_s_fault(tmp_path: Path) -> None:
    greedy = tmp_path / "greedy.pdf"
    greedy.write_bytes(expanding_pdf())
    # What the parent has used is not held against the child: here nobody knows how much other tests have.
    assert in_its_own_process(killed_with_the_memory_full, greedy) is ErrorCode.RENDER_MEMORY


def killed_with_the_memory_full(greedy: Path) -> ErrorCode:
    """What the document is said to be at fault for."""
    before = children()
    with Renderer(1) as renderer, ThreadPoolExecutor(1) as thread:
        (child,) = children() - before
        much = max(memory_used(), LIMITS.memory_bytes // 4)
        drawing = thread.submit(renderer.picture, greedy, 1, 100, LIMITS)
        assert eventually(lambda: memory_used(child) > much, seconds=30)
        os.kill(child, signal.SIGSTOP)
        assert memory_used(child) > much, "it is gone already"
        os.kill(child, signal.SIGKILL)
        with pytest.raises(DocumentError) as caught:
            drawing.result()
        return caught.value.code


def test_a_child_that_gets_no_more_memory_is_known_for_it_also_by_a_large_parent(tmp_path: Path) -> None:
    greedy = tmp_path / "greedy.pdf"
    greedy.write_bytes(expanding_pdf())
    assert in_its_own_process(grown_and_out_of_memory, greedy) is ErrorCode.RENDER_MEMORY


def grown_and_out_of_memory(greedy: Path) -> ErrorCode:
    """What the document is said to be at fault for."""
    bytearray(SMALL_MEMORY.memory_bytes)
    assert memory_used() > SMALL_MEMORY.memory_bytes
    with Renderer(1) as renderer, pytest.raises(DocumentError) as caught:
        renderer.picture(greedy, 1, 100, SMALL_MEMORY)
    return caught.value.code


def test_what_an_earlier_document_took_is_not_held_against_the_one_at_hand(book: Path, tmp_path: Path) -> None:
    large = tmp_path / "large.pdf"
    large.write_bytes(expanding_pdf(10))
    limits = RenderLimits(memory_bytes=1024**3)
    before = children()
    with Renderer(1) as renderer:
        (child,) = children() - before
        renderer.picture(large, 1, 100, limits)
        assert memory_used(child) > limits.memory_bytes / 4, "it was not large"
        pages = renderer.pages(book, Fit(640, 640), limits)
        next(pages)
        os.kill(child, signal.SIGKILL)
        with pytest.raises(TemporaryError, match="memory"):
            list(pages)


def test_a_child_that_died_idle_is_not_the_document_s_fault(page: Path) -> None:
    before = children()
    with Renderer(1) as renderer:
        list(renderer.pages(page, Fit(100, 100), LIMITS))
        (child,) = children() - before
        os.kill(child, signal.SIGKILL)
        # Its first thread is a zombie a moment before the process as a whole can be waited for.
        ended = os.WEXITED | os.WNOHANG | os.WNOWAIT
        assert eventually(lambda: os.waitid(os.P_PID, child, ended) is not None)
        assert len(list(renderer.pages(page, Fit(100, 100), LIMITS))) == 1


def test_a_child_that_dies_as_it_is_handed_a_document_is_not_its_fault_either(page: Path) -> None:
    before = children()
    with Renderer(1) as renderer:
        list(renderer.pages(page, Fit(100, 100), LIMITS))
        (child,) = children() - before
        os.kill(child, signal.SIGSTOP)  # alive when it is taken from the pool, and then no more
        threading.Timer(0.2, os.kill, (child, signal.SIGKILL)).start()
        with pytest.raises(TemporaryError, match="before it saw the document"):
            list(renderer.pages(page, Fit(100, 100), LIMITS))
        assert len(list(renderer.pages(page, Fit(100, 100), LIMITS))) == 1


def test_bad_documents_cost_the_others_nothing(tmp_path: Path, page: Path) -> None:
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(expanding_pdf())
    results: dict[str, int] = {"pages": 0, "render_memory": 0}
    lock = threading.Lock()

    def attempt(number: int) -> None:
        try:
            document = bad if number % 4 == 0 else page
            result = "pages" if list(renderer.pages(document, Fit(100, 100), SMALL_MEMORY)) else "none"
        except DocumentError as error:
            result = error.code.value
        with lock:
            results[result] += 1

    with Renderer(2) as renderer, ThreadPoolExecutor(6) as threads:
        list(threads.map(attempt, range(12)))
    assert results == {"pages": 9, "render_memory": 3}


def test_children_get_no_credentials(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAPHE_POSTGRES_URL", "postgresql://user:secret@host/db")
    before = children()
    with Renderer(1) as renderer:
        list(renderer.pages(page, Fit(100, 100), LIMITS))
        (child,) = children() - before
        assert b"secret" not in Path(f"/proc/{child}/environ").read_bytes()


def test_closing_ends_the_children_and_refuses_work(page: Path) -> None:
    before = children()
    renderer = Renderer(2)
    assert len(children() - before) == 2
    renderer.close()
    assert children() - before == set()
    with pytest.raises(RuntimeError, match="closed"):
        list(renderer.pages(page, Fit(100, 100), LIMITS))


ORPHAN = """
import os, signal, sys, threading, time
from pathlib import Path
from shared.domain.fit import Fit
from shared.pages.limits import RenderLimits
from shared.pages.renderer import Renderer
renderer = Renderer(2)
def draw():
    list(renderer.pages(Path(sys.argv[1]), Fit(640, 640), RenderLimits()))
threading.Thread(target=draw, daemon=True).start()
time.sleep(1)
print(*(task.joinpath("children").read_text() for task in Path("/proc/self/task").iterdir()), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_children_end_when_the_parent_is_killed_even_in_the_middle_of_a_page(tmp_path: Path) -> None:
    endless = tmp_path / "endless.pdf"
    endless.write_bytes(endless_pdf())
    run = subprocess.run(
        [sys.executable, "-c", ORPHAN, str(endless)], capture_output=True, text=True, timeout=30, check=False
    )
    assert run.returncode == -signal.SIGKILL
    orphans = [int(pid) for pid in run.stdout.split()]
    assert len(orphans) == 2
    assert eventually(lambda: not any(_runs(pid) for pid in orphans), seconds=3)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("wrong", [{"max_pages": 0}, {"seconds": -1}, {"memory_bytes": 1}])
def test_limits_that_make_no_sense_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"limits|memory"):
        RenderLimits(**wrong)
