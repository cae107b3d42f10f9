"""Waiting for jobs without holding a thread each: one connection a process listens for all of them.

Announcements may get lost (Postgres restarts, the connection breaks), so whoever waits also looks again every few
seconds by itself.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID

import psycopg2
import structlog
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import make_url

from shared.db.events import NOTIFY_CHANNEL
from shared.domain.errors import TemporaryError
from shared.domain.job import Job
from shared.settings import PostgresSettings

log = structlog.get_logger(__name__)

_RECONNECT_S = (0.2, 3.0)


class JobWatch:
    """Bridges Postgres' announcements to asyncio events. All methods but ``start`` belong to the event loop.

    ``on_change`` is told the job of each; ``on_gap`` is called in a thread whenever some may have been missed.
    """

    def __init__(
        self,
        settings: PostgresSettings,
        reread_s: float,
        *,
        on_change: Callable[[UUID], None],
        on_gap: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._reread_s = reread_s
        self._on_change = on_change
        self._on_gap = on_gap
        self._watchers: dict[UUID, set[asyncio.Event]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None
        self.is_stopping = False

    def start(self) -> None:
        """Begin to listen, and keep at it."""
        self._task = asyncio.get_running_loop().create_task(self._listen_always())

    def stop(self) -> None:
        """Send everyone who waits home with what there is: the process is about to end."""
        self.is_stopping = True
        self._wake_all()

    async def close(self) -> None:
        """End the listening connection."""
        self.stop()
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    @contextmanager
    def watching(self, *job_ids: UUID) -> Iterator[asyncio.Event]:
        """An event that is set whenever something happens to one of the jobs. Read them after entering."""
        changed = asyncio.Event()
        for job_id in job_ids:
            self._watchers[job_id].add(changed)
        try:
            yield changed
        finally:
            for job_id in set(job_ids):
                self._watchers[job_id].discard(changed)
                if not self._watchers[job_id]:
                    del self._watchers[job_id]

    async def pause(self, changed: asyncio.Event, at_most_s: float) -> None:
        """Until something happens, at most that long, and never longer than the time to look again."""
        if self.is_stopping:
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(changed.wait(), min(at_most_s, self._reread_s))
        changed.clear()

    async def until_finished(self, job_id: UUID, read: Callable[[], Job], wait_s: float) -> Job:
        """The job once it has its outcome, or as it is when the time is over or the gateway stops.

        ``read`` runs in the thread pool. A database that goes away meanwhile is waited out like everything else.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + wait_s
        with self.watching(job_id) as changed:
            while True:
                left = end - loop.time()
                last_look = left <= 0 or self.is_stopping
                try:
                    job = await run_in_threadpool(read)
                    if last_look or job.state.is_final:
                        return job
                except TemporaryError:
                    if last_look:
                        raise
                await self.pause(changed, max(left, 0))

    def _wake_all(self) -> None:
        for watchers in self._watchers.values():
            for changed in watchers:
                changed.set()

    def _announce(self, payload: str) -> None:
        job_id = UUID(payload)
        for changed in self._watchers.get(job_id, ()):
            changed.set()
        self._on_change(job_id)

    async def _listen_always(self) -> None:
        pause_s = _RECONNECT_S[0]
        while True:
            try:
                connection = await run_in_threadpool(_connect, self._settings)
                pause_s = _RECONNECT_S[0]
                await self._listen(connection)
            except Exception as error:
                # Whatever it was: without this loop, everyone who waits would learn of nothing in time.
                log.warning("not hearing of finished jobs; connecting again", error=str(error).strip())
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _RECONNECT_S[1])

    async def _listen(self, connection: Any) -> None:
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(connection.fileno(), readable.set)
        descriptor = connection.fileno()
        try:
            # Whatever happened while nobody listened.
            self._wake_all()
            await run_in_threadpool(self._on_gap)
            while True:
                await readable.wait()
                readable.clear()
                connection.poll()
                while connection.notifies:
                    self._announce(connection.notifies.pop(0).payload)
        finally:
            loop.remove_reader(descriptor)
            connection.close()


def _connect(settings: PostgresSettings) -> Any:
    url = make_url(settings.url.get_secret_value()).set(drivername="postgresql")
    connection = psycopg2.connect(
        url.render_as_string(hide_password=False),
        connect_timeout=settings.connect_timeout_s,
        # A silent connection whose other end is gone must be noticed without sending anything.
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
        application_name="paraphe-gateway-watch",
    )
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"listen {NOTIFY_CHANNEL}")
    return connection
