"""Subscriptions, deliveries and alerts: what is asked and what is answered."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.gateway.answer_schemas import AttemptOut
from services.gateway.request_schemas import CallbackUrl
from shared.domain.alert import AlertState
from shared.domain.delivery import DeliveryState
from shared.domain.events import EventKind
from shared.domain.subscription import MAIL_ADDRESS, Channel, Language

OUTCOMES = [kind for kind in EventKind if kind.is_outcome]
MailAddress = Annotated[str, StringConstraints(pattern=MAIL_ADDRESS, max_length=254)]
Kind = Annotated[EventKind, Field(strict=False)]


class SubscriptionIn(BaseModel):
    """Where to tell of which events: exactly one of ``url`` (webhook) and ``email``."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url: CallbackUrl | None = None
    email: MailAddress | None = Field(default=None, examples=["office@example.org"])
    kinds: list[Kind] = Field(default=OUTCOMES, min_length=1, max_length=len(EventKind))
    language: Annotated[Language, Field(strict=False, description="of mails")] = Language.ENGLISH

    @model_validator(mode="after")
    def _one_address(self) -> "SubscriptionIn":
        if (self.url is None) == (self.email is None):
            raise ValueError("Give exactly one of url and email.")
        return self

    @property
    def address(self) -> str:
        """As it is kept: mail addresses as ``mailto:``."""
        return self.url or f"mailto:{self.email}"


class SubscriptionOut(BaseModel):
    """``disabled_at``: since when nothing is sent there, for the receiver answered 410. Adding it anew ends that."""

    id: UUID
    channel: Channel
    url: str = Field(description="`mailto:` for mail")
    kinds: list[EventKind]
    language: Language
    created_at: datetime
    disabled_at: datetime | None


class SubscriptionsOut(BaseModel):
    """A client's subscriptions, oldest first."""

    subscriptions: list[SubscriptionOut]


class RotatedSecretOut(BaseModel):
    """The new secret. Until then the one before signs as well."""

    webhook_secret: str
    previous_valid_until: datetime


class ListedDeliveryOut(BaseModel):
    """One message on its way to one address. Notices to operators have neither event nor job."""

    id: UUID
    event_id: UUID | None
    job_id: UUID | None
    kind: str = Field(examples=["job.succeeded"])
    channel: Channel
    url: str
    state: DeliveryState
    attempts: list[AttemptOut]
    created_at: datetime
    next_attempt_at: datetime | None


class DeliveryPageOut(BaseModel):
    """One page of a list, newest first; ``next_cursor`` is null on the last."""

    deliveries: list[ListedDeliveryOut]
    next_cursor: str | None


class AlertOut(BaseModel):
    """One alert as Alertmanager told of it last."""

    fingerprint: str
    name: str
    severity: str
    state: AlertState
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    ends_at: datetime | None


class AlertsOut(BaseModel):
    """One page of a list, newest first; ``next_cursor`` is null on the last."""

    alerts: list[AlertOut]
    next_cursor: str | None
