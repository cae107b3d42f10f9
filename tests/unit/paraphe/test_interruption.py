"""Which signals ask ``paraphe up`` to stop."""

import signal
from collections.abc import Iterator

import pytest

from paraphe.local.interruption import Interruption

TAKEN = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in TAKEN}
    for number in TAKEN:
        signal.signal(number, lambda *_: None)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", TAKEN)
def test_the_first_asks_to_stop_and_the_second_to_hurry(number: signal.Signals) -> None:
    interruption = Interruption()
    interruption.listen()
    signal.raise_signal(number)
    assert (interruption.requested.is_set(), interruption.hurry.is_set()) == (True, False)
    signal.raise_signal(number)
    assert interruption.hurry.is_set()


@pytest.mark.parametrize("number", TAKEN)
def test_what_it_was_started_to_ignore_it_ignores(number: signal.Signals) -> None:
    """``nohup paraphe up &`` goes on when the terminal is closed, and heeds a plain ``kill``."""
    signal.signal(number, signal.SIG_IGN)
    interruption = Interruption()
    interruption.listen()
    signal.raise_signal(number)
    assert not interruption.requested.is_set()
    signal.raise_signal(next(other for other in TAKEN if other is not number))
    assert interruption.requested.is_set()
