"""Traces of jobs, from upload to webhook, by OpenTelemetry. Off, and not even imported, unless told where to send them.

A job's id and a trace's are both 16 bytes, so a job's trace simply has the job's id: nothing has to be carried along
through rows and messages, every service finds the trace by itself, and whoever has the job's id has the trace.
"""

import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

if TYPE_CHECKING:
    from shared.job_traces import JobTraces

_NOTHING: AbstractContextManager[None] = nullcontext()
_traces: "JobTraces | None" = None
# When the request at work began (nanoseconds since the epoch), and the trace its caller is in.
_request: ContextVar[tuple[int, str | None]] = ContextVar("request")


class TracingSettings(BaseSettings):
    """Where traces of jobs go, if anywhere. Needs the extra ``tracing``."""

    model_config = SettingsConfigDict(env_prefix="PARAPHE_TRACING_", extra="ignore", frozen=True)

    endpoint: str | None = Field(
        default=None, description="OTLP over HTTP, e.g. http://collector:4318/v1/traces; without one nothing is traced"
    )
    share: float = Field(default=1.0, ge=0, le=1, description="of the jobs, chosen alike by all services")


def configure_tracing(service: str, settings: TracingSettings) -> None:
    """Begin to trace if the settings say where to. RuntimeError when OpenTelemetry is not installed."""
    global _traces
    if not settings.endpoint:
        return
    try:
        from shared.job_traces import JobTraces
    except ModuleNotFoundError as error:
        raise RuntimeError("PARAPHE_TRACING_ENDPOINT is set: pip install 'paraphe[tracing]'") from error
    _traces = JobTraces(service, settings.endpoint, settings.share)


def note_request(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """A request begins that may bring a job."""
    if _traces is not None:
        caller = next((value.decode("latin-1") for name, value in headers if name == b"traceparent"), None)
        _request.set((time.time_ns(), caller))


def job_accepted(job_id: UUID, **attributes: Any) -> None:
    """The job of the request at work is accepted: the trace's first span, from the request's begin until now."""
    if _traces is not None:
        began, caller = _request.get((time.time_ns(), None))
        _traces.accepted(job_id, began, caller, attributes)


def job_span(name: str, job_id: UUID, **attributes: Any) -> AbstractContextManager[object]:
    """A span of the job's trace while the block runs. An exception that leaves the block is noted on it."""
    if _traces is None:
        return _NOTHING
    return _traces.span(name, job_id, attributes)


def past_span(name: str, job_id: UUID, began: float, ended: float) -> None:
    """A span that is over, in seconds since the epoch: the time in the queue, for one."""
    if _traces is not None:
        _traces.past(name, job_id, began, ended)


def headers_onward() -> list[tuple[str, str]]:
    """What tells a receiver which trace a request belongs to; nothing when nothing is traced."""
    return _traces.headers_onward() if _traces is not None else []
