"""A subscription: a client's wish to hear of some kinds of events at some address."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.domain.events import EventKind

# Plain addresses only: nothing that could end a header or name a second recipient. The domain may be a bare host's.
MAIL_ADDRESS = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$"


class Channel(StrEnum):
    """How an address is reached."""

    WEBHOOK = "webhook"
    EMAIL = "email"


class Language(StrEnum):
    """Which languages mails are written in."""

    ENGLISH = "en"
    FRENCH = "fr"


@dataclass(frozen=True, slots=True)
class Subscription:
    """``url`` is http(s), or ``mailto:`` with one address. ``language`` matters to mails only.

    ``disabled_at`` says since when nothing is sent there: the receiver answered 410 (Gone).
    """

    id: UUID
    client_id: UUID
    channel: Channel
    url: str
    kinds: frozenset[EventKind]
    language: Language
    created_at: datetime
    disabled_at: datetime | None = None


def channel_of(url: str) -> Channel:
    """The channel an address belongs to."""
    return Channel.EMAIL if url.startswith("mailto:") else Channel.WEBHOOK
