"""A child that ends is started again, later each time, and a log never fills the disk."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

import paraphe.local.watcher
from paraphe.local.errors import StartupError
from paraphe.local.watcher import Watcher


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Child:
    """Ends when told, starts unless told not to."""

    clock: Clock
    log: Path
    name: str = "detector"
    exit_code: int | None = None
    alive: bool = True
    refuses: bool = False
    starts: list[float] = field(default_factory=list)

    def is_alive(self) -> bool:
        return self.alive

    def spawn(self) -> None:
        self.starts.append(self.clock.now)
        if self.refuses:
            raise StartupError("no such program")
        self.alive = True

    def end(self, exit_code: int) -> None:
        self.alive, self.exit_code = False, exit_code


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def child(clock: Clock, tmp_path: Path) -> Child:
    return Child(clock, tmp_path / "detector.log")


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def watcher(child: Child, clock: Clock, said: list[str]) -> Watcher:
    return Watcher([child], said.append, clock)


def _run(watcher: Watcher, clock: Clock, seconds: float) -> None:
    until = clock.now + seconds
    while clock.now < until:
        clock.now = round(clock.now + 0.1, 3)
        watcher.tick()


def test_a_living_child_is_left_alone(watcher: Watcher, clock: Clock, child: Child, said: list[str]) -> None:
    _run(watcher, clock, 100)
    assert (child.starts, said) == ([], [])


def test_an_end_is_said_once_and_followed_by_a_start(
    watcher: Watcher, clock: Clock, child: Child, said: list[str]
) -> None:
    child.end(-9)
    _run(watcher, clock, 5)
    assert len(child.starts) == 1
    assert said == [f"detector was killed (signal 9); starts again in 0.5 s. Log: {child.log}"]


def test_one_that_keeps_ending_is_started_ever_later_but_never_given_up(
    watcher: Watcher, clock: Clock, child: Child
) -> None:
    child.refuses = True
    child.end(1)
    _run(watcher, clock, 200)
    gaps = [round(later - earlier, 1) for earlier, later in zip(child.starts, child.starts[1:], strict=False)]
    assert gaps[0] == pytest.approx(1.0, abs=0.3)
    assert gaps == sorted(gaps)
    assert gaps[-1] == pytest.approx(30.0, abs=0.3)


def test_after_a_calm_time_it_is_started_soon_again(watcher: Watcher, clock: Clock, child: Child) -> None:
    for _ in range(4):
        child.end(1)
        _run(watcher, clock, 10)
    _run(watcher, clock, 60)
    child.end(1)
    ended = clock.now
    _run(watcher, clock, 5)
    assert child.starts[-1] - ended <= 0.8


def test_a_full_log_is_kept_once_and_begun_again(
    watcher: Watcher, child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paraphe.local.watcher, "_LOG_LIMIT_BYTES", 10)
    child.log.write_text("more than ten bytes")
    writer = child.log.open("a")
    watcher.tick()
    writer.write("new")
    writer.close()
    assert child.log.read_text() == "new"
    assert child.log.with_suffix(".log.1").read_text() == "more than ten bytes"


def test_on_a_full_disk_a_full_log_is_begun_again_all_the_same(
    watcher: Watcher, child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paraphe.local.watcher, "_LOG_LIMIT_BYTES", 10)
    child.log.write_text("more than ten bytes")
    child.log.with_suffix(".log.1").symlink_to("/dev/full")
    watcher.tick()
    assert child.log.read_text() == ""
