"""Who is told of what, and how that went; what went wrong; what Alertmanager said."""

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.tables.columns import id_column, metadata, moment

subscriptions = Table(
    "subscriptions",
    metadata,
    id_column(),
    Column("client_id", Uuid, ForeignKey("clients.id"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("kinds", ARRAY(Text), nullable=False),
    Column("language", Text, nullable=False),
    moment("created_at", now=True),
    CheckConstraint("(channel = 'email') = (url like 'mailto:%')", name="channel"),
    UniqueConstraint("client_id", "url"),
)

deliveries = Table(
    "deliveries",
    metadata,
    id_column(),
    # Either an event of a client's job, or a notice to those who run this installation.
    Column("event_id", Uuid, ForeignKey("events.id", ondelete="CASCADE")),
    Column("client_id", Uuid, ForeignKey("clients.id")),
    Column("job_id", Uuid),
    Column("notice", JSONB),
    Column("channel", Text, nullable=False, server_default=text("'webhook'")),
    Column("url", Text, nullable=False),
    # No foreign key: a subscription may be removed, and what was sent for it stays.
    Column("subscription_id", Uuid),
    Column("language", Text),
    # Who answers there (host and port): deliveries are kept apart by it, so that a slow receiver holds up only itself.
    Column("receiver", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    moment("next_attempt_at"),
    moment("created_at", now=True),
    moment("finished_at", nullable=True),
    CheckConstraint("state in ('pending', 'delivered', 'failed', 'disabled')", name="state"),
    CheckConstraint(
        "(notice is null) = (event_id is not null) and (notice is null) = (client_id is not null)", name="message"
    ),
    UniqueConstraint("event_id", "url"),
    Index("ix_deliveries_due", "next_attempt_at", postgresql_where=text("state = 'pending'")),
    Index("ix_deliveries_dead", "client_id", "id", postgresql_where=text("state in ('failed', 'disabled')")),
    Index("ix_deliveries_client", "client_id", "id"),
    Index("ix_deliveries_job", "job_id"),
    Index(
        "ix_deliveries_subscription",
        "subscription_id",
        postgresql_where=text("state = 'pending' and subscription_id is not null"),
    ),
)

delivery_attempts = Table(
    "delivery_attempts",
    metadata,
    id_column(),
    Column("delivery_id", Uuid, ForeignKey("deliveries.id", ondelete="CASCADE"), nullable=False),
    moment("at", now=True),
    Column("status", Integer),
    Column("error", Text),
    Column("milliseconds", Double, nullable=False),
    Column("succeeded", Boolean, nullable=False),
    Index("ix_delivery_attempts_delivery", "delivery_id"),
)

disabled_endpoints = Table(
    "disabled_endpoints",
    metadata,
    Column("client_id", Uuid, ForeignKey("clients.id"), primary_key=True),
    Column("url", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    moment("disabled_at", now=True),
)

# Single critical errors: raised at Alertmanager while unresolved, mailed to administrators.
incidents = Table(
    "incidents",
    metadata,
    id_column(),
    Column("kind", Text, nullable=False),
    Column("code", Text, nullable=False),
    # The job or the delivery that came to grief.
    Column("subject", Uuid, nullable=False),
    Column("detail", Text, nullable=False),
    moment("raised_at", now=True),
    moment("resolved_at", nullable=True),
    # Alertmanager has been told of the resolution.
    moment("closed_at", nullable=True),
    Index("ix_incidents_open", "kind", "code", "raised_at", postgresql_where=text("closed_at is null")),
)

# What Alertmanager tells us: every alert it routes here, the newest word on it.
alerts = Table(
    "alerts",
    metadata,
    id_column(),
    Column("fingerprint", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("labels", JSONB, nullable=False),
    Column("annotations", JSONB, nullable=False),
    moment("starts_at"),
    moment("ends_at", nullable=True),
    moment("received_at", now=True),
    CheckConstraint("state in ('firing', 'resolved')", name="state"),
    UniqueConstraint("fingerprint", "starts_at"),
    Index("ix_alerts_firing", "id", postgresql_where=text("state = 'firing'")),
)
