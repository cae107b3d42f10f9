"""Sending outbox messages once their transaction has committed."""

from collections.abc import Iterable

import structlog

from shared.db.outbox import Message, Topic
from shared.queue import PUBLISH_FAULTS, Publisher

log = structlog.get_logger(__name__)


def send(publisher: Publisher, messages: Iterable[Message]) -> int:
    """Send what the broker takes; returns how many. Never raises for a broker fault: the outbox keeps the rest."""
    sent = 0
    for message in messages:
        try:
            if message.topic is Topic.JOB:
                publisher.publish_job(message.subject, message.priority)
            else:
                publisher.publish_event(message.subject)
        except PUBLISH_FAULTS as error:
            log.warning("broker unreachable, the reconciler will send", topic=message.topic, error=repr(error))
            break
        sent += 1
    return sent
