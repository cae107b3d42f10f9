"""Raises incidents as alerts straight at Alertmanager, and ends them there."""

import threading
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import structlog
from sqlalchemy import Connection, Engine

from services.notifier.channels.addresses import Address, resolve
from services.notifier.metrics import NotifierMetrics
from services.notifier.settings import AlertSettings
from shared.db import incidents
from shared.db.engine import transact
from shared.db.incidents import Alarm, IncidentKind

log = structlog.get_logger(__name__)

_PATH = "/api/v2/alerts"
_LOOK_EVERY_S = 0.25
# Should we go silent, what we raised must not: Alertmanager ends an alert at the time it was last told.
_LASTS_S = 600.0

_WORDING = {
    IncidentKind.JOB_GIVEN_UP: (
        "ParapheJobGivenUp",
        "{number} jobs were given up: {code}",
        "docs/runbooks/ParapheJobFailed.md",
    ),
    IncidentKind.DELIVERY_DEAD: (
        "ParapheDeliveryDead",
        "{number} deliveries were given up ({code})",
        "docs/runbooks/ParapheDeliveriesDead.md",
    ),
}


class AlertmanagersAwayError(ConnectionError):
    """Not every Alertmanager took the alerts."""


class Alertmanagers:
    """Those that are told: all that a name leads to, and never by a proxy. One that is away is told once it is back.

    Replicas behind one name do not tell each other of alerts: one that missed the end would say that it still fires.
    """

    def __init__(self, engine: Engine, settings: AlertSettings, metrics: NotifierMetrics) -> None:
        self._engine = engine
        self._settings = settings
        self._metrics = metrics
        self._news = threading.Event()
        self._due = 0.0
        self._tls = httpx.create_ssl_context()

    def look_now(self) -> None:
        """There is a new incident."""
        self._news.set()

    def step(self) -> None:
        """Tell them what fires and what has ended, at once when there is news, else every so often."""
        if not self._news.wait(_LOOK_EVERY_S) and time.monotonic() < self._due:
            return
        self._news.clear()
        self._due = time.monotonic() + self._settings.raise_every_s
        alarms = transact(self._engine, self._look)
        self._show(alarms)
        self._tell([alert_of(alarm, datetime.now(UTC)) for alarm in alarms])
        for alarm in alarms:
            if not alarm.number:
                transact(self._engine, partial(incidents.close, alarm=alarm))

    def _look(self, connection: Connection) -> list[Alarm]:
        incidents.resolve(connection, hold_s=self._settings.hold_s)
        return incidents.alarms(connection)

    def _show(self, alarms: list[Alarm]) -> None:
        for kind in IncidentKind:
            self._metrics.incidents_open.labels(kind).set(sum(one.number for one in alarms if one.kind is kind))

    def _tell(self, alerts: list[dict[str, Any]]) -> None:
        # With nothing to tell none is out of reach: another notifier may have told what this one could not.
        unreached = [url for url in self._settings.manager_urls if alerts and not self._reach(url, alerts)]
        self._metrics.alertmanagers_unreachable.set(len(unreached))
        if unreached:
            self.look_now()  # not at the next period: the loop that runs us waits a little, then longer
            raise AlertmanagersAwayError("alerts could not be raised")

    def _reach(self, url: str, alerts: list[dict[str, Any]]) -> bool:
        """Whether all that lie at the URL were told, by IPv4 or by IPv6."""
        try:
            target = httpx.URL(url.rstrip("/") + _PATH)
            addresses = resolve(_host(target), target.port or 0)
        except (httpx.InvalidURL, OSError, UnicodeError) as error:
            _warn(url, error)
            return False
        families = ([one for one in addresses if one.version == version] for version in (4, 6))
        return any(self._post_to_each(target, family, alerts) for family in families)

    def _post_to_each(self, target: httpx.URL, addresses: list[Address], alerts: list[dict[str, Any]]) -> bool:
        told = [self._post(target, one, alerts) for one in addresses]  # one that is away holds up no other
        return bool(told) and all(told)

    def _post(self, target: httpx.URL, address: Address, alerts: list[dict[str, Any]]) -> bool:
        try:
            with httpx.Client(verify=self._tls, timeout=self._settings.timeout_s, trust_env=False) as client:
                client.post(
                    target.copy_with(host=str(address)),
                    json=alerts,
                    headers={"Host": target.netloc.decode("ascii")},
                    extensions={"sni_hostname": _host(target)},
                ).raise_for_status()
        except httpx.HTTPError as error:
            _warn(str(address), error)
            return False
        return True


def _host(target: httpx.URL) -> str:
    return target.raw_host.decode("ascii")


def _warn(where: str, error: Exception) -> None:
    log.warning("Alertmanager cannot be told", where=where, error=f"{type(error).__name__}: {error}")


def alert_of(alarm: Alarm, now: datetime) -> dict[str, Any]:
    """An alert as Alertmanager's API takes it. Labels are few and of few values; the rest is annotation."""
    name, summary, runbook = _WORDING[alarm.kind]
    ends_at = now + timedelta(seconds=_LASTS_S) if alarm.number else now
    return {
        "labels": {"alertname": name, "severity": "critical", "code": alarm.code, "job": "paraphe-notifier"},
        "annotations": {
            "summary": summary.format(number=alarm.number, code=alarm.code),
            "description": alarm.detail,
            "runbook": runbook,
        },
        "startsAt": alarm.since.astimezone(UTC).isoformat(),
        "endsAt": ends_at.isoformat(),
    }
