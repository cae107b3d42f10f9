"""Starts one notifier: ``python -m services.notifier``. SIGTERM and SIGINT stop it once attempts under way are over."""

import threading

from sqlalchemy import Engine

from services.notifier.alarm import Alertmanagers
from services.notifier.alert_inbox import AlertInbox
from services.notifier.channels.addresses import AddressPolicy
from services.notifier.channels.mail import MailChannel
from services.notifier.channels.webhook import WebhookChannel
from services.notifier.consumer import EventConsumer
from services.notifier.deliveries import Courier, Route
from services.notifier.digest import Digest
from services.notifier.incidents import IncidentDesk
from services.notifier.metrics import NotifierMetrics
from services.notifier.recorder import Recorder
from services.notifier.settings import NotifierSettings, WebhookSettings
from shared.db import deliveries
from shared.db.engine import make_engine, transact
from shared.domain.subscription import Channel
from shared.loops import EnduringLoop, run_until
from shared.service import run_service
from shared.tracing import configure_tracing

_MEASURE_EVERY_S = 5.0
_DIGEST_EVERY_S = 30.0
# Connecting, greeting, TLS, log-in, sender, recipient, text: each has the time-out for itself.
_SMTP_STEPS = 8


def main() -> None:
    """Run until told to stop."""
    settings = NotifierSettings()

    def start(stop: threading.Event) -> None:
        configure_tracing("notifier", settings.tracing)
        run(settings, NotifierMetrics(), stop)

    run_service("notifier", settings.log, settings.options, start)


def run(settings: NotifierSettings, metrics: NotifierMetrics, stop: threading.Event) -> None:
    """Record events, deliver webhooks and mails, raise and take alerts until ``stop`` is set."""
    engine = make_engine(settings.postgres)
    alertmanagers = Alertmanagers(engine, settings.alerts, metrics)
    incidents = IncidentDesk(settings.mail, alertmanagers.look_now)
    couriers = [Courier(engine, route, settings.webhooks, metrics, incidents) for route in _routes(settings)]

    def look_now() -> None:
        for courier in couriers:
            courier.look_now()

    recorder = Recorder(engine, metrics, incidents, look_now)
    consumer = EventConsumer(settings.redis, settings.options, recorder.record, metrics.messages_dropped.inc)
    digest = Digest(engine, settings.mail, look_now)
    inbox = AlertInbox(engine, settings.alerts, metrics) if settings.alerts.token.get_secret_value() else None
    if inbox:
        inbox.start()
    run_until(
        stop,
        [
            EnduringLoop("events", consumer.step, period_s=0.0),
            *(EnduringLoop(courier.name, courier.step, period_s=0.02) for courier in couriers),
            EnduringLoop("gauges", lambda: _measure(engine, metrics), period_s=_MEASURE_EVERY_S),
            EnduringLoop("alerts", alertmanagers.step, period_s=0.1),
            EnduringLoop("digests", digest.step, period_s=_DIGEST_EVERY_S),
        ],
    )
    if inbox:
        inbox.close()
    consumer.close()
    for courier in couriers:
        courier.close()
    engine.dispose()


def _routes(settings: NotifierSettings) -> list[Route]:
    webhooks, mail = settings.webhooks, settings.mail
    by_webhook = webhook_channel(webhooks)
    return [
        Route(Channel.WEBHOOK, by_webhook, webhooks.threads, webhooks.per_receiver, webhooks.timeout_s),
        # All mails go through one server: there is no receiver to hold back.
        Route(Channel.EMAIL, MailChannel(mail), mail.threads, mail.threads, _SMTP_STEPS * mail.timeout_s),
    ]


def _measure(engine: Engine, metrics: NotifierMetrics) -> None:
    """Set the gauges."""
    waiting, dead = transact(engine, lambda connection: (deliveries.pending(connection), deliveries.dead(connection)))
    for channel in Channel:
        metrics.show_deliveries(channel, waiting[channel], dead[channel])


def webhook_channel(settings: WebhookSettings) -> WebhookChannel:
    """The channel that goes where the settings allow."""
    policy = AddressPolicy(allow_private=settings.allow_private, allowed_networks=settings.allowed_networks)
    return WebhookChannel(policy, timeout_s=settings.timeout_s)
