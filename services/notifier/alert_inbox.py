"""Takes Alertmanager's webhooks, ``POST /alerts`` with our token: recorded first, then answered."""

import hmac
import json
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import structlog
from sqlalchemy import Engine

from services.notifier.metrics import NotifierMetrics
from services.notifier.settings import AlertSettings
from shared.db import alerts
from shared.db.engine import transact
from shared.domain.alert import Alert, AlertState
from shared.domain.errors import TemporaryError

log = structlog.get_logger(__name__)

PATH = "/alerts"
_MOST_BYTES = 4 * 1024 * 1024
_SILENT_S = 10.0
_MAX_TEXT = 4000


class AlertInbox:
    """A small HTTP server beside the one for metrics: that one answers anybody."""

    def __init__(self, engine: Engine, settings: AlertSettings, metrics: NotifierMetrics) -> None:
        self._engine = engine
        self._metrics = metrics
        self._token = settings.token.get_secret_value()
        self._server = ThreadingHTTPServer((settings.host, settings.port), _handler(self._is_known, self._record))
        self._server.daemon_threads = True

    def start(self) -> None:
        """Answer from a thread of its own."""
        threading.Thread(target=self._server.serve_forever, name="alert-inbox", daemon=True).start()

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()

    def _is_known(self, authorization: str) -> bool:
        return hmac.compare_digest(authorization.encode(), f"Bearer {self._token}".encode())

    def _record(self, told: Sequence[Alert]) -> None:
        transact(self._engine, lambda connection: alerts.record(connection, told))
        for one in told:
            self._metrics.alerts_received.labels(one.state).inc()
            log.info("alert", alert=one.name, state=one.state, severity=one.severity)


def _handler(
    is_known: Callable[[str], bool], record: Callable[[Sequence[Alert]], None]
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _SILENT_S
        server_version = "Paraphe"
        sys_version = ""

        def do_POST(self) -> None:
            status = self._take()
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()

        def _take(self) -> HTTPStatus:
            self.close_connection = True
            if self.path != PATH:
                return HTTPStatus.NOT_FOUND
            if not is_known(self.headers.get("Authorization", "")):
                return HTTPStatus.UNAUTHORIZED
            length = self.headers.get("Content-Length", "")
            if not length.isascii() or not length.isdigit():
                return HTTPStatus.LENGTH_REQUIRED
            if int(length) > _MOST_BYTES:
                return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            try:
                record(alerts_in(json.loads(self.rfile.read(int(length)))))
            except (ValueError, KeyError, TypeError, AttributeError):
                return HTTPStatus.BAD_REQUEST
            except TemporaryError:
                return HTTPStatus.SERVICE_UNAVAILABLE  # Alertmanager comes again
            return HTTPStatus.NO_CONTENT

        def log_message(self, *_: object) -> None:
            """Each alert has its line already."""

    return Handler


def alerts_in(body: Any) -> list[Alert]:
    """The alerts of a webhook body (version 4). ValueError, KeyError or TypeError when it is none."""
    return [_to_alert(one) for one in body["alerts"]]


def _to_alert(told: dict[str, Any]) -> Alert:
    state = AlertState(told["status"])
    labels, annotations = _texts(told["labels"]), _texts(told.get("annotations") or {})
    return Alert(
        fingerprint=str(told["fingerprint"])[:_MAX_TEXT],
        name=labels.get("alertname", ""),
        severity=labels.get("severity", ""),
        state=state,
        labels=labels,
        annotations=annotations,
        starts_at=_moment(told["startsAt"]),
        ends_at=_moment(told["endsAt"]) if state is AlertState.RESOLVED else None,
    )


def _texts(values: dict[str, Any]) -> dict[str, str]:
    # Postgres keeps no U+0000.
    return {str(name): str(value).replace("\0", "")[:_MAX_TEXT] for name, value in values.items()}


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
