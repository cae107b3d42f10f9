"""Which signals ask ``paraphe up`` to stop."""

import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from paraphe.local.interruption import Interruption

TAKEN = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def alone(check: Callable[[signal.Signals], None], number: signal.Signals) -> None:
    """In a process of its own, so that none of these signals reaches whoever runs the tests."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        process.submit(_check, check, number).result()


def _check(check: Callable[[signal.Signals], None], number: signal.Signals) -> None:
    for one in TAKEN:
        signal.signal(one, lambda *_: None)
    check(number)


@pytest.mark.parametrize("number", TAKEN)
def test_the_first_asks_to_stop_and_the_second_to_hurry(number: signal.Signals) -> None:
    alone(asks_and_hurries, number)


def asks_and_hurries(number: signal.Signals) -> None:
    interruption = Interruption()
    interruption.listen()
    signal.raise_signal(number)
    assert (interruption.requested.is_set(), interruption.hurry.is_set()) == (True, False)
    signal.raise_signal(number)
    assert interruption.hurry.is_set()


@pytest.mark.parametrize("number", TAKEN)
def test_what_it_was_started_to_ignore_it_ignores(number: signal.Signals) -> None:
    """``nohup paraphe up &`` goes on when the terminal is closed, and heeds a plain ``kill``."""
    alone(ignores, number)


def ignores(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_IGN)
    interruption = Interruption()
    interruption.listen()
    signal.raise_signal(number)
    assert not interruption.requested.is_set()
    signal.raise_signal(next(other for other in TAKEN if other is not number))
    assert interruption.requested.is_set()
