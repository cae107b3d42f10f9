"""Connections: what a session that hangs in the middle of a transaction, or a server that vanishes, does to others."""

import os
import socket
import time

import pytest
from sqlalchemy import Connection, Engine, event, text

from shared.db import leases
from shared.db.engine import transact
from shared.domain.errors import TemporaryError
from tests.integration.db.stories import Stories


def test_a_session_frozen_while_it_claims_holds_nobody_up_for_long(engine: Engine, stories: Stories) -> None:
    job, other = stories.accept(), stories.accept()
    frozen = engine.connect()
    leases.claim(frozen, job.id, stories.settings)  # and it says no more: neither commit nor rollback

    started = time.monotonic()
    with pytest.raises(TemporaryError, match="Another process"):
        transact(engine, lambda connection: leases.claim(connection, job.id, stories.settings))
    assert time.monotonic() - started < 10
    assert stories.claim(other), "another job waited for the locked one"

    taken = transact(engine, lambda connection: leases.claim(connection, job.id, stories.settings), patience_s=30)
    assert taken is not None, "the frozen session's claim was kept"
    frozen.invalidate()
    frozen.close()
    assert stories.now(job).attempts == 1


def test_limits_hold_for_every_session_and_behind_pgbouncer(engine: Engine) -> None:
    """It refuses sessions that bring options of the server along."""
    brought: dict[str, object] = {}
    event.listen(engine, "do_connect", lambda *given: brought.update(given[-1]))
    with engine.connect() as connection:
        fresh = _limits(connection)
        connection.rollback()
        later = _limits(connection)
    assert "options" not in brought
    assert "keepalives" in brought
    assert fresh == later == ["30s", "5s", "15s"]


def _limits(connection: Connection) -> list[str]:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    return [connection.execute(text(f"show {name}")).scalar_one() for name in names]


def test_a_server_that_vanishes_is_noticed_within_seconds(engine: Engine) -> None:
    """By the kernel, which must be told: whoever waits for an answer, or has sent a question, cannot notice."""
    with engine.connect() as connection, _socket_of(connection) as sent_over:
        unanswered_ms = sent_over.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        asked = sent_over.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        idle_s, interval_s, times = (
            sent_over.getsockopt(socket.IPPROTO_TCP, option)
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        )
    assert 0 < unanswered_ms <= 15_000, "what was sent and never arrived"
    assert asked, "a silent connection is never looked after"
    assert idle_s + interval_s * times <= 25


def _socket_of(connection: Connection) -> socket.socket:
    driver = connection.connection.driver_connection
    assert driver is not None
    return socket.socket(fileno=os.dup(driver.fileno()))
