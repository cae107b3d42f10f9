"""Connections: what a session that hangs in the middle of a transaction does to the others."""

import time

import pytest
from sqlalchemy import Engine

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
