"""A job's events over server-sent events, taken up again where a broken connection left off."""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass

import httpx

from paraphe.answers import JobEvent, event_from_json
from paraphe.api_errors import ServerUnreachableError
from paraphe.transport import Transport, api_error
from shared.domain.events import EventKind

_RECONNECT_S = 1.0
_LONGEST_PAUSE_S = 30.0
_LONGEST_SILENCE_TRIES = 10
# Refused for now, by the server or by a proxy whose server is being started anew: as good as a broken connection.
_COME_BACK = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Message:
    """One server-sent event: its id and its data."""

    id: str
    data: str


def follow(transport: Transport, job_id: str) -> Iterator[JobEvent]:
    """Events in order, each once, until the stream ends after an outcome, or the job is erased.

    What people do with a job that has its outcome (a correction) does not open it again; a replay does.
    """
    last: JobEvent | None = None
    is_over = False
    silent_tries = 0
    while silent_tries < _LONGEST_SILENCE_TRIES:
        pause_s = _RECONNECT_S
        with suppress(httpx.TransportError), _connected(transport, job_id, last) as answer:
            if answer.status_code == httpx.codes.NO_CONTENT:
                return  # nothing has happened since the last event, and nothing will
            if answer.status_code in _COME_BACK:
                pause_s = _asked_pause_s(answer)
            else:
                for event in _events(answer):
                    last, silent_tries = event, 0
                    is_over = _is_over_with(event, is_over)
                    yield event
                    if event.kind is EventKind.JOB_ERASED:
                        return
                if is_over:
                    return
        silent_tries += 1
        time.sleep(pause_s)
    raise ServerUnreachableError(transport.base_url, f"the events of job {job_id} ended without an outcome")


def messages(lines: Iterable[str]) -> Iterator[Message]:
    """Group the lines of an event stream into messages; comments (keep-alives) and unfinished messages are dropped."""
    identity, data = "", list[str]()
    for line in lines:
        if not line:
            if data:
                yield Message(identity, "\n".join(data))
            data = []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "id":
            identity = value
        elif field == "data":
            data.append(value)


def _connected(transport: Transport, job_id: str, last: JobEvent | None) -> AbstractContextManager[httpx.Response]:
    headers = {"Accept": "text/event-stream", **({"Last-Event-ID": str(last.sequence)} if last else {})}
    stream: AbstractContextManager[httpx.Response] = transport.stream(f"/v1/jobs/{job_id}/events", headers)
    return stream


def _events(answer: httpx.Response) -> Iterator[JobEvent]:
    if not answer.is_success:
        answer.read()
        raise api_error(answer)
    for message in messages(answer.iter_lines()):
        yield event_from_json(json.loads(message.data), int(message.id))


def _asked_pause_s(answer: httpx.Response) -> float:
    """Seconds the server asks to stay away."""
    asked = answer.headers.get("Retry-After", "")
    return min(float(asked), _LONGEST_PAUSE_S) if asked.isdigit() else _RECONNECT_S


def _is_over_with(event: JobEvent, was_over: bool) -> bool:
    """Whether the job has its outcome now that this has happened."""
    return event.kind.is_outcome or (was_over and event.kind is not EventKind.JOB_REPLAYED)
