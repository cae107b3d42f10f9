"""A server that answers as told, over real HTTP."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

import paraphe.event_stream
import paraphe.transport


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """One answer to give, after ``held_s`` seconds.

    ``status`` 0 cuts the connection without any, ``is_cut_off`` before the answer's end.
    """

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    is_cut_off: bool = False
    held_s: float = 0.0


class ScriptedServer:
    """Gives the scripted answers in order, whatever is asked; what was asked is kept in ``asked``.

    ``always`` maps a method to one answer for every request of that method, for tests that ask side by side.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.always: dict[str, Answer] = {}
        self._answers: list[Answer] = []
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def will_answer(self, *answers: Answer) -> None:
        self._answers.extend(answers)

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def _next(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked)
            if asked.method in self.always:
                return self.always[asked.method]
            return self._answers.pop(0) if self._answers else Answer(500, {"code": "nothing_scripted"})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                body = self._read_body()
                answer = script._next(Asked(self.command, self.path, dict(self.headers), body))
                if answer.held_s:
                    time.sleep(answer.held_s)
                if answer.status == 0:
                    self.close_connection = True
                    return
                raw = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(raw) + answer.is_cut_off))
                self.close_connection = answer.is_cut_off
                self.end_headers()
                self.wfile.write(raw)

            def _read_body(self) -> bytes:
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            do_GET = do_POST = do_DELETE = do_PUT = _answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    yield server
    server.stop()


class Clock:
    """Stands in for ``time``: a pause is noted instead of waited, and each look at the clock takes ``look_s``."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self.look_s = 0.0
        self._now = 0.0

    def sleep(self, pause_s: float) -> None:
        self.pauses.append(pause_s)
        self._now += pause_s

    def monotonic(self) -> float:
        self._now += self.look_s
        return self._now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (paraphe.transport, paraphe.event_stream):
        monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def pauses(clock: Clock) -> list[float]:
    """The pauses between tries, noted instead of waited."""
    return clock.pauses


def job_body(status: str = "succeeded", **changes: Any) -> dict[str, Any]:
    """A job as the API describes it."""
    body: dict[str, Any] = {
        "id": "0199a0a4-0000-7000-8000-000000000001",
        "status": status,
        "attempts": 1,
        "model": "signatures",
        "priority": "normal",
        "created_at": "2026-01-02T03:04:05.000000+00:00",
        "started_at": None,
        "finished_at": "2026-01-02T03:04:05.500000+00:00" if status == "succeeded" else None,
        "document": {"sha256": "ab" * 32, "size": 3, "media_type": "image/png", "filename": "contract.png"},
        "metadata": {"case": "7"},
        "requirements": {"min_signatures": 1, "zones": []},
        "callback_url": None,
        "error": None,
        "result": RESULT if status == "succeeded" else None,
        "links": {},
    }
    return {**body, **changes}


RESULT = {
    "verdict": "signed",
    "count": 1,
    "tone": "grey",
    "requirements": [{"zone": None, "required": 1, "found": 1, "found_with_review": 1, "state": "met"}],
    "model": {"name": "signatures", "version": "1"},
    "timings": {"queued": 1.0, "fetched": 2.0, "rendered": 3.0, "inferred": 4.0, "recorded": 5.0},
    "pages": [
        {
            "number": 1,
            "width": 800,
            "height": 1000,
            "tone": "grey",
            "detections": [
                {
                    "id": "d1",
                    "kind": "signature",
                    "confidence": 0.93,
                    "box": {"x": 80.0, "y": 700.0, "width": 160.0, "height": 50.0},
                    "box_normalized": {"x": 0.1, "y": 0.7, "width": 0.2, "height": 0.05},
                }
            ],
        }
    ],
}
