"""The part of tracing that needs OpenTelemetry; imported only when traces are wanted."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)

_LOW_64 = (1 << 64) - 1
_job: ContextVar[UUID | None] = ContextVar("job", default=None)


class _JobIds(RandomIdGenerator):
    """The first span's ids follow from the job's id; all others are random."""

    def generate_trace_id(self) -> int:
        job_id = _job.get()
        return job_id.int if job_id else super().generate_trace_id()

    def generate_span_id(self) -> int:
        job_id = _job.get()
        return _first_span_id(job_id) if job_id else super().generate_span_id()


class ShareOfJobs(TraceIdRatioBased):
    """Told by the end of the id; not by the last 64 bits, for the first two of those are the same in every job's."""

    TRACE_ID_LIMIT = (1 << 62) - 1


class JobTraces:
    """Sends spans in batches from a thread of its own; what is left goes when the process ends."""

    def __init__(self, service: str, endpoint: str, share: float) -> None:
        provider = TracerProvider(
            sampler=ShareOfJobs(share),
            resource=Resource.create({"service.name": f"paraphe-{service}", "service.namespace": "paraphe"}),
            id_generator=_JobIds(),
        )
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
        self._tracer = provider.get_tracer("paraphe")

    def accepted(self, job_id: UUID, began: int, caller: str | None, attributes: Mapping[str, Any]) -> None:
        """The first span, begun at ``began`` (nanoseconds) and ended now, linked with the caller's trace if any."""
        token = _job.set(job_id)
        try:
            span = self._tracer.start_span(
                "accept",
                Context(),
                SpanKind.SERVER,
                _attributes(job_id, attributes),
                links=_links(caller),
                start_time=began,
            )
        finally:
            _job.reset(token)
        span.end()

    def span(self, name: str, job_id: UUID, attributes: Mapping[str, Any]) -> AbstractContextManager[Span]:
        """A span below the one at work, or below the job's first."""
        inside = get_current_span().get_span_context().trace_id == job_id.int
        above = None if inside else _below_first(job_id)
        return self._tracer.start_as_current_span(name, above, SpanKind.INTERNAL, _attributes(job_id, attributes))

    def past(self, name: str, job_id: UUID, began: float, ended: float) -> None:
        """A span that is over."""
        span = self._tracer.start_span(
            name, _below_first(job_id), attributes=_attributes(job_id, {}), start_time=int(began * 1e9)
        )
        span.end(int(ended * 1e9))

    def headers_onward(self) -> list[tuple[str, str]]:
        """``traceparent`` of the span at work, if there is one."""
        carrier: dict[str, str] = {}
        if get_current_span().get_span_context().is_valid:
            propagate.inject(carrier)
        return [(name, value) for name, value in carrier.items() if name in ("traceparent", "tracestate")]


def _below_first(job_id: UUID) -> Context:
    first = SpanContext(job_id.int, _first_span_id(job_id), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return set_span_in_context(NonRecordingSpan(first), Context())


def _first_span_id(job_id: UUID) -> int:
    return job_id.int & _LOW_64


def _attributes(job_id: UUID, given: Mapping[str, Any]) -> dict[str, Any]:
    named = {f"paraphe.{name}": value for name, value in given.items() if value is not None}
    return {"paraphe.job_id": str(job_id), **named}


def _links(traceparent: str | None) -> list[Link]:
    if not traceparent:
        return []
    caller = get_current_span(propagate.extract({"traceparent": traceparent})).get_span_context()
    return [Link(caller)] if caller.is_valid else []
