"""Loops that go on through outages, and say so once."""

import threading
import time

from structlog.testing import capture_logs

from shared.domain.errors import ErrorCode, TemporaryError
from shared.loops import EnduringLoop, run_until


class Server:
    """Away for so many calls."""

    def __init__(self, away_for: int, error: Exception | None = None) -> None:
        self.calls = 0
        self.away_for = away_for
        self.error = error or TemporaryError(ErrorCode.STORE_UNAVAILABLE, "away")
        self.back = threading.Event()

    def call(self) -> None:
        self.calls += 1
        if self.calls <= self.away_for:
            raise self.error
        self.back.set()


def run(server: Server) -> list[str]:
    """Until the server has answered; what was logged."""
    stop = threading.Event()
    loop = EnduringLoop("test", server.call, period_s=0.01, longest_pause_s=0.02)
    with capture_logs() as logs:
        thread = threading.Thread(target=loop.run, args=(stop,))
        thread.start()
        assert server.back.wait(5)
        time.sleep(0.05)
        stop.set()
        thread.join(5)
        assert not thread.is_alive()
    return [entry["event"] for entry in logs]


def test_an_outage_is_logged_when_it_begins_and_when_it_ends() -> None:
    assert run(Server(away_for=5)) == ["loop is failing", "loop works again"]


def test_even_a_mistake_of_ours_does_not_end_the_loop() -> None:
    server = Server(away_for=2, error=KeyError("ours"))
    assert run(server) == ["loop is failing", "loop works again"]
    assert server.calls > 3


def test_without_outage_nothing_is_logged() -> None:
    assert run(Server(away_for=0)) == []


def test_stopping_does_not_wait_for_the_period() -> None:
    stop = threading.Event()
    loops = [EnduringLoop("test", Server(away_for=0).call, period_s=60) for _ in range(2)]
    threading.Timer(0.05, stop.set).start()
    started = time.monotonic()
    run_until(stop, loops)
    assert time.monotonic() - started < 2


def test_a_step_that_hangs_does_not_hold_up_the_stop() -> None:
    stop, never = threading.Event(), threading.Event()
    threading.Timer(0.05, stop.set).start()
    started = time.monotonic()
    run_until(stop, [EnduringLoop("test", never.wait, period_s=1)], grace_s=0.1)
    assert time.monotonic() - started < 2
