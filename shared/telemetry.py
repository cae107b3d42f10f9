"""Structured logs that carry ids along, and the metrics endpoint of services without a web server of their own."""

import logging
import sys

import structlog
from prometheus_client import start_http_server

from shared.settings import LogSettings


def configure_logging(service: str, settings: LogSettings) -> None:
    """Send every log line, ours and the libraries', through one structured format on standard error.

    Whatever is bound with ``structlog.contextvars.bind_contextvars`` (job_id, request_id) appears on each line.
    """
    shared_steps: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared_steps, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if settings.format == "console"
        else structlog.processors.JSONRenderer()
    )

    def name_service(_: object, __: str, entry: structlog.typing.EventDict) -> structlog.typing.EventDict:
        entry["service"] = service
        return entry

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared_steps,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, name_service, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.level)
    logging.captureWarnings(capture=True)


def serve_metrics(port: int, host: str = "127.0.0.1") -> None:
    """Expose this process's metrics at ``http://host:port/metrics`` from a background thread; port 0: nowhere."""
    if port:
        start_http_server(port, addr=host)
