"""A job's events over server-sent events, taken up again where a broken connection left off."""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from paraphe.answers import JobEvent, event_from_json
from paraphe.api_errors import ServerUnreachableError
from paraphe.transport import Transport, api_error, id_step, pause_s, reason, worth_repeating
from shared.domain.events import EventKind

_LONGEST_SILENCE_S = 600.0
# A stream that was open for so long was not just cut off by what should pass it on.
_A_WHILE_S = 1.0


@dataclass(frozen=True, slots=True)
class Message:
    """One server-sent event: its id and its data."""

    id: str
    data: str


class _Silence:
    """How long nothing has been heard from the server, and how often it was asked meanwhile."""

    def __init__(self) -> None:
        self.ends()

    def ends(self) -> None:
        """Something was heard."""
        self.tries = 0
        self._began = time.monotonic()

    @property
    def is_too_long(self) -> bool:
        """Whether there is no point in asking further."""
        return time.monotonic() - self._began >= _LONGEST_SILENCE_S


def follow(transport: Transport, job_id: str) -> Iterator[JobEvent]:
    """Events in order, each once, until the stream ends after an outcome, or the job is erased.

    What people do with a job that has its outcome (a correction) does not open it again; a replay does.
    """
    last: JobEvent | None = None
    is_over = False
    silence = _Silence()
    while True:
        retry_after = None
        fault: httpx.RequestError | None = None
        try:
            with _connected(transport, job_id, last, silence) as answer:
                if answer.status_code == httpx.codes.NO_CONTENT:
                    return  # nothing has happened since the last event, and nothing will
                # A refusal that may pass is as good as a broken connection; the last one is told as what it is.
                if worth_repeating(answer, repeatable=True) and not silence.is_too_long:
                    retry_after = answer.headers.get("Retry-After")
                else:
                    for event in _events(transport, answer):
                        last = event
                        silence.ends()
                        is_over = _is_over_with(event, is_over)
                        yield event
                        if event.kind is EventKind.JOB_ERASED:
                            return
                    if is_over:
                        return
        except httpx.RequestError as error:
            fault = error
        why = reason(fault) if fault else f"the events of job {job_id} ended without an outcome"
        unreachable = ServerUnreachableError(transport.base_url, why)
        if silence.is_too_long or (fault and transport.is_nobody_there(fault, silence.tries + 1)):
            raise unreachable from fault
        if fault:
            transport.on_unreachable(unreachable)
        time.sleep(pause_s(silence.tries, retry_after))
        silence.tries += 1


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


@contextmanager
def _connected(transport: Transport, job_id: str, last: JobEvent | None, silence: _Silence) -> Iterator[httpx.Response]:
    headers = {"Accept": "text/event-stream", **({"Last-Event-ID": str(last.sequence)} if last else {})}
    with transport.stream(f"/v1/jobs/{id_step(job_id)}/events", headers) as answer:
        began = time.monotonic()
        try:
            yield answer
        finally:
            # The server was there: nothing happened to the job meanwhile, and something between us cuts quiet streams.
            if answer.is_success and time.monotonic() - began >= _A_WHILE_S:
                silence.ends()


def _events(transport: Transport, answer: httpx.Response) -> Iterator[JobEvent]:
    if not answer.is_success:
        answer.read()
        raise api_error(answer)
    if not answer.headers.get("Content-Type", "").startswith("text/event-stream"):
        raise transport.foreign(answer)
    for message in messages(answer.iter_lines()):
        with transport.reading(answer):
            event = event_from_json(json.loads(message.data), int(message.id))
        yield event


def _is_over_with(event: JobEvent, was_over: bool) -> bool:
    """Whether the job has its outcome now that this has happened."""
    return event.kind.is_outcome or (was_over and event.kind is not EventKind.JOB_REPLAYED)
