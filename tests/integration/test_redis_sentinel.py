"""A broker that sentinels watch over: whatever talks to it finds the master, and the new one after a failover."""

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Engine

from services.gateway.rate_limit import RateLimiter
from services.notifier.consumer import EventConsumer
from services.notifier.settings import NotifierOptions
from services.reconciler.broker import held_messages
from shared.db import keys
from shared.domain.ids import new_id
from shared.domain.job import Priority
from shared.queue import DETECT_QUEUE, PUBLISH_FAULTS, Publisher
from shared.settings import RedisSettings
from tests.sentinels import WatchedBroker, watched_broker


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WatchedBroker]:
    with watched_broker(tmp_path) as broker:
        for name, value in broker.environment.items():
            monkeypatch.setenv(name, value)
        yield broker


class Taking:
    """A notifier's consumer at work, as its loop drives it: faults are met by trying again."""

    def __init__(self) -> None:
        self.taken: list[UUID] = []
        self._consumer = EventConsumer(RedisSettings(), NotifierOptions(), self.taken.extend, lambda: None)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._consumer.step()
            except PUBLISH_FAULTS:
                time.sleep(0.2)
        self._consumer.close()

    def __enter__(self) -> "Taking":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def wait_for(self, event_id: UUID, within_s: float) -> None:
        deadline = time.monotonic() + within_s
        while event_id not in self.taken:
            assert time.monotonic() < deadline, f"not taken within {within_s:.0f} s"
            time.sleep(0.05)


def publish(publisher: Publisher, event_id: UUID, within_s: float = 30.0) -> None:
    """As the outbox does: again until it is sent."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            return publisher.publish_event(event_id)
        except PUBLISH_FAULTS:
            assert time.monotonic() < deadline, f"not sent within {within_s:.0f} s"
            time.sleep(0.2)


def test_a_killed_master_is_replaced_under_everybody(broker: WatchedBroker) -> None:
    publisher, before, after = Publisher(RedisSettings()), new_id(), new_id()
    with Taking() as consumer:
        publish(publisher, before)
        consumer.wait_for(before, 5)
        old = broker.master()
        broker.kill_master()
        broker.kill_sentinel(0)  # the one that is asked first
        broker.wait_for_failover(old)
        publish(publisher, after)
        consumer.wait_for(after, 15)
    publisher.publish_job(new_id(), Priority.NORMAL)
    publisher.publish_job(new_id(), Priority.BULK)
    assert held_messages(RedisSettings(), DETECT_QUEUE) == 2
    assert broker.client(broker.master()).llen(DETECT_QUEUE + "\x06\x163") == 1, "they lie on the new master"


@pytest.mark.slow
def test_a_master_that_only_falls_silent_is_left_behind(broker: WatchedBroker) -> None:
    """No connection breaks: who waits for its answer has to give up by itself. It comes back as a replica."""
    publisher, before, after, last = Publisher(RedisSettings()), new_id(), new_id(), new_id()
    with Taking() as consumer:
        publish(publisher, before)
        consumer.wait_for(before, 5)
        old = broker.freeze_master()
        broker.wait_for_failover(old)
        publish(publisher, after)
        consumer.wait_for(after, 45)
        broker.thaw(old)
        broker.wait_for_demotion(old)
        publish(publisher, last)
        consumer.wait_for(last, 15)


def test_requests_are_counted_before_and_after(broker: WatchedBroker, engine: Engine) -> None:
    with engine.begin() as connection:
        key, _ = keys.create(connection, client_name="c", name="k", scopes=[keys.Scope.READ], requests_per_minute=2)

    async def count() -> None:
        limiter = RateLimiter(RedisSettings())
        await limiter.check()
        assert [await limiter.seconds_to_wait(key) for _ in range(2)] == [None, None]
        assert await limiter.seconds_to_wait(key)
        old = broker.master()
        broker.kill_master()
        assert await limiter.seconds_to_wait(key) is None, "away: requests pass"
        with pytest.raises(ConnectionError):
            await limiter.check()
        await asyncio.to_thread(broker.wait_for_failover, old)
        await limiter.check()
        deadline = time.monotonic() + 30
        while await limiter.seconds_to_wait(key) is None:
            assert time.monotonic() < deadline, "not counted on the new master"
            await asyncio.sleep(0.1)

    asyncio.run(count())


def test_a_wrong_password_of_the_sentinels_is_said(broker: WatchedBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAPHE_REDIS_SENTINEL_PASSWORD", "wrong")
    with pytest.raises(PUBLISH_FAULTS, match=r"(?i)password|auth"):
        Publisher(RedisSettings()).publish_event(new_id())
