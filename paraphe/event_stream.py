"""A job's events over server-sent events, taken up again where a broken connection left off."""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import httpx

from paraphe.answers import JobEvent, event_from_json
from paraphe.api_errors import ServerUnreachableError
from paraphe.transport import Transport, api_error

_RECONNECT_S = 1.0
_LONGEST_SILENCE_TRIES = 10


@dataclass(frozen=True, slots=True)
class Message:
    """One server-sent event: its id and its data."""

    id: str
    data: str


def follow(transport: Transport, job_id: str) -> Iterator[JobEvent]:
    """Events in order, each once, until the stream ends after an outcome."""
    last: JobEvent | None = None
    silent_tries = 0
    while silent_tries < _LONGEST_SILENCE_TRIES:
        try:
            for event in _read_once(transport, job_id, last):
                last, silent_tries = event, 0
                yield event
        except httpx.TransportError:
            pass
        else:
            if last and last.kind.is_outcome:
                return
        silent_tries += 1
        time.sleep(_RECONNECT_S)
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


def _read_once(transport: Transport, job_id: str, last: JobEvent | None) -> Iterator[JobEvent]:
    headers = {"Accept": "text/event-stream", **({"Last-Event-ID": str(last.sequence)} if last else {})}
    with transport.stream(f"/v1/jobs/{job_id}/events", headers) as answer:
        if not answer.is_success:
            answer.read()
            raise api_error(answer)
        for message in messages(answer.iter_lines()):
            yield event_from_json(json.loads(message.data), int(message.id))
