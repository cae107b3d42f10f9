"""kombu's Redis transport, quicker for workers of threads."""

from typing import Any

from kombu.transport import redis
from redis.exceptions import RedisError
from redis.sentinel import SentinelConnectionPool, SentinelManagedConnection, SentinelManagedSSLConnection

from shared.redis_address import Sentinels

_LOOK_UP_S = 0.004


class QoS(redis.QoS):
    """Tells its channel when an acknowledgement found the connection broken."""

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge, from whichever thread did the work."""
        try:
            super().ack(delivery_tag)
        except (RedisError, OSError) as error:
            self.channel.fault = error  # type: ignore[attr-defined]
            raise


class Channel(redis.Channel):
    """Keeps one client as long as its pool.

    kombu 5.7 builds a new one for every message it publishes, takes and acknowledges. The connections are pooled, but
    building the object alone costs redis-py 8 about a millisecond: a third of a worker's Python time. Clients are
    safe to share between threads.
    """

    QoS = QoS
    fault: Exception | None = None
    _kept: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        if asynchronous:  # used for blocking reads, and made once by kombu itself
            return super()._create_client(asynchronous=True)  # type: ignore[misc]
        if self._kept is None or self._kept.connection_pool is not self.pool:
            self._kept = super()._create_client()  # type: ignore[misc]
        return self._kept


class SentinelChannel(Channel):
    """Asks sentinels for the master, each time it connects.

    kombu has such a channel, but it takes the sentinels from a list of URLs of which any failed connection moves on to
    the next, and with that from the transport chosen here to kombu's own.
    """

    connection_class = SentinelManagedConnection
    connection_class_ssl = SentinelManagedSSLConnection
    from_transport_options = (*redis.Channel.from_transport_options, "sentinels")
    sentinels: Sentinels

    def _get_pool(self, asynchronous: bool = False) -> SentinelConnectionPool:
        options = self._connparams(asynchronous=asynchronous)  # type: ignore[attr-defined]
        self.keyprefix_fanout = self.keyprefix_fanout.format(db=options["db"])
        del options["host"], options["port"]
        manager = self.sentinels.manager()
        # Where kombu looks for it to close its connections.
        setattr(self, "_async_sentinel_manager" if asynchronous else "_sentinel_manager", manager)
        return SentinelConnectionPool(self.sentinels.master, manager, **options)  # type: ignore[no-untyped-call]


class Transport(redis.Transport):
    """For a broker that stays where it is."""

    Channel = Channel

    def drain_events(  # type: ignore[override]
        self, connection: Any, timeout: float | None = None
    ) -> None:
        """Wait for a message; while the consumer holds all it may, look up again soon.

        An acknowledgement from another thread makes room for the next message but does not wake the poll: with
        Celery's time-out of two seconds a free thread would wait that long for work.
        """
        for channel in self.channels or ():
            # What could not be acknowledged counts as held for ever: the consumer must connect anew. The thread that
            # met the fault cannot tell it, and a consumer that holds all it may does not touch the connection itself.
            if isinstance(channel, Channel) and channel.fault:
                raise channel.fault
        if not any(channel.qos.can_consume() for channel in self.channels or ()):
            timeout = _LOOK_UP_S
        super().drain_events(connection, timeout=timeout)


class SentinelTransport(Transport):
    """For a master that sentinels watch over. Needs the transport option ``sentinels``."""

    Channel = SentinelChannel


NAME = f"{__name__}:Transport"
SENTINEL_NAME = f"{__name__}:SentinelTransport"
