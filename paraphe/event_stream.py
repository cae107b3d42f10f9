"""A job's events over server-sent events, taken up again where a broken connection left off."""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass

import httpx

from paraphe.answers import JobEvent, event_from_json
from paraphe.api_errors import ServerUnreachableError
from paraphe.transport import Transport, api_error, pause_s, worth_repeating
from shared.domain.events import EventKind

_LONGEST_SILENCE_TRIES = 10


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
    while True:
        retry_after = None
        with suppress(httpx.TransportError), _connected(transport, job_id, last) as answer:
            if answer.status_code == httpx.codes.NO_CONTENT:
                return  # nothing has happened since the last event, and nothing will
            # A refusal that may pass is as good as a broken connection; the last one is told as what it is.
            if worth_repeating(answer, repeatable=True) and silent_tries + 1 < _LONGEST_SILENCE_TRIES:
                retry_after = answer.headers.get("Retry-After")
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
        if silent_tries == _LONGEST_SILENCE_TRIES:
            raise ServerUnreachableError(transport.base_url, f"the events of job {job_id} ended without an outcome")
        time.sleep(pause_s(silent_tries - 1, retry_after))


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
    return transport.stream(f"/v1/jobs/{job_id}/events", headers)


def _events(answer: httpx.Response) -> Iterator[JobEvent]:
    if not answer.is_success:
        answer.read()
        raise api_error(answer)
    for message in messages(answer.iter_lines()):
        yield event_from_json(json.loads(message.data), int(message.id))


def _is_over_with(event: JobEvent, was_over: bool) -> bool:
    """Whether the job has its outcome now that this has happened."""
    return event.kind.is_outcome or (was_over and event.kind is not EventKind.JOB_REPLAYED)
