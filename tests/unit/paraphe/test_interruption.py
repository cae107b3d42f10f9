"""Which signals ask ``paraphe up`` to stop."""

import signal

import pytest

from paraphe.local.interruption import Interruption
from tests.own_process import in_its_own_process

TAKEN = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def heed_all() -> None:
    """Also where the tests run in the background, and were started to ignore some."""
    for number in TAKEN:
        signal.signal(number, lambda *_: None)


@pytest.mark.parametrize("number", TAKEN)
def test_the_first_asks_to_stop_and_the_second_to_hurry(number: signal.Signals) -> None:
    in_its_own_process(asks_and_hurries, number)


def asks_and_hurries(number: signal.Signals) -> None:
    heed_all()
    interruption = Interruption()
    interruption.listen()
    signal.raise_signal(number)
    assert (interruption.requested.is_set(), interruption.hurry.is_set()) == (True, False)
    signal.raise_signal(number)
    assert interruption.hurry.is_set()


@pytest.mark.parametrize("number", TAKEN)
def test_what_it_was_started_to_ignore_it_ignores(number: signal.Signals) -> None:
    """``nohup paraphe up &`` goes on when the terminal is closed, and heeds a plain ``kill``."""
    in_its_own_process(ignores, number)


def ignores(number: signal.Signals) -> None:
    heed_all()
    signal.signal(number, signal.SIG_IGN)
    interruption = Interruption()
    interruption.listen()
    signal.raise_signal(number)
    assert not interruption.requested.is_set()
    signal.raise_signal(next(other for other in TAKEN if other is not number))
    assert interruption.requested.is_set()
