"""Starts one notifier: ``python -m services.notifier``. SIGTERM and SIGINT stop it once attempts under way are over."""

import signal
import threading

from services.notifier.channels.addresses import AddressPolicy
from services.notifier.channels.webhook import WebhookChannel
from services.notifier.consumer import EventConsumer
from services.notifier.deliveries import Courier
from services.notifier.metrics import NotifierMetrics
from services.notifier.recorder import Recorder
from services.notifier.settings import NotifierSettings, WebhookSettings
from shared.db.engine import make_engine
from shared.loops import EnduringLoop, run_until
from shared.telemetry import configure_logging, serve_metrics

_MEASURE_EVERY_S = 5.0


def main() -> None:
    """Run until told to stop."""
    settings = NotifierSettings()
    configure_logging("notifier", settings.log)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if settings.options.metrics_port:
        serve_metrics(settings.options.metrics_port, settings.options.metrics_host)
    run(settings, NotifierMetrics(), stop)


def run(settings: NotifierSettings, metrics: NotifierMetrics, stop: threading.Event) -> None:
    """Record events and deliver webhooks until ``stop`` is set."""
    engine = make_engine(settings.postgres)
    courier = Courier(engine, webhook_channel(settings.webhooks), settings.webhooks, metrics)
    recorder = Recorder(engine, metrics, courier.look_now)
    consumer = EventConsumer(settings.redis, settings.options, recorder.record, metrics.messages_dropped.inc)
    run_until(
        stop,
        [
            EnduringLoop("events", consumer.step, period_s=0.0),
            EnduringLoop("webhooks", courier.step, period_s=0.02),
            EnduringLoop("gauges", courier.measure, period_s=_MEASURE_EVERY_S),
        ],
    )
    consumer.close()
    courier.close()
    engine.dispose()


def webhook_channel(settings: WebhookSettings) -> WebhookChannel:
    """The channel that goes where the settings allow."""
    policy = AddressPolicy(allow_private=settings.allow_private, allowed_networks=settings.allowed_networks)
    return WebhookChannel(policy, timeout_s=settings.timeout_s)
