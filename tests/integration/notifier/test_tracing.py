"""Traces, taken by a real OTLP endpoint: one a job, from upload to webhook, under the job's own id."""

import gzip
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from shared import tracing
from tests import loopback
from tests.integration.db.stories import wait_for
from tests.integration.notifier.conftest import Receiver
from tests.servers import Servers
from tests.system import QUICK_RECOVERY, SAMPLES, System

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Collector:
    """Keeps (service, span) of what it is sent."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, Span]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}/v1/traces"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def take(self, request: ExportTraceServiceRequest) -> None:
        for of_service in request.resource_spans:
            attributes = {one.key: one.value.string_value for one in of_service.resource.attributes}
            for scope in of_service.scope_spans:
                self.spans += [(attributes["service.name"], span) for span in scope.spans]

    def of(self, job_id: str) -> dict[str, tuple[str, Span]]:
        return {span.name: (service, span) for service, span in self.spans if span.trace_id == UUID(job_id).bytes}

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.stop()


def test_one_trace_from_upload_to_webhook(
    clean_servers: Servers, tmp_path: Path, collector: Collector, receive: Callable[..., Receiver]
) -> None:
    receiver = receive()
    settings = {
        "PARAPHE_TRACING_ENDPOINT": collector.endpoint,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "PARAPHE_WEBHOOK_ALLOW_PRIVATE": "true",
    }
    system = System(clean_servers, tmp_path, {**QUICK_RECOVERY, **settings})
    try:
        system.start("gateway", "detector", "notifier")
        answer = loopback.post(
            f"{system.url}/v1/jobs",
            files={"file": next(SAMPLES.glob("*.png")).read_bytes()},
            data={"callback_url": receiver.url},
            headers={"Authorization": f"Bearer {system.key}", "traceparent": CALLER},
        )
        job_id = answer.json()["id"]
        names = {"accept", "store", "queued", "examine", "detect", "deliver by webhook"}
        wait_for(lambda: collector.of(job_id).keys() >= names, 60)
    finally:
        system.stop()
    found = collector.of(job_id)
    services = {name: service for name, (service, _) in found.items()}
    assert {services[name] for name in ("accept", "store")} == {"paraphe-gateway"}
    assert {services[name] for name in ("queued", "examine", "detect")} == {"paraphe-detector"}
    assert services["deliver by webhook"] == "paraphe-notifier"
    spans = {name: span for name, (_, span) in found.items()}
    assert spans["accept"].parent_span_id == b""
    assert spans["accept"].links[0].trace_id.hex() == CALLER.split("-")[1]
    for name in ("store", "queued", "examine", "deliver by webhook"):
        assert spans[name].parent_span_id == spans["accept"].span_id, name
    assert spans["detect"].parent_span_id == spans["examine"].span_id
    for span in spans.values():
        assert span.start_time_unix_nano <= span.end_time_unix_nano
    onward = receiver.received[0].headers["traceparent"].split("-")
    assert onward[1:3] == [UUID(job_id).hex, spans["deliver by webhook"].span_id.hex()]


def test_off_costs_nothing() -> None:
    """What sends traces is not even imported (redis-py imports other parts where it finds them), no span is made."""
    program = (
        "import sys, services.notifier.service, services.gateway.app, services.detector.tasks; "
        "sys.exit(any(name.startswith(('opentelemetry.sdk.trace', 'opentelemetry.exporter')) for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
    one, other = tracing.job_span("a", uuid4()), tracing.job_span("b", uuid4(), attempt=1)
    assert one is other
    assert tracing.headers_onward() == []
