"""What happened, and which messages of it are still under way."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
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

events = Table(
    "events",
    metadata,
    id_column(),
    Column("sequence", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    # No foreign key: the line that says a job was erased outlives the job.
    Column("job_id", Uuid, nullable=False),
    Column("client_id", Uuid, ForeignKey("clients.id"), nullable=False),
    Column("run", Integer, nullable=False),
    moment("occurred_at", now=True),
    Column("data", JSONB, nullable=False),
    moment("recorded_at", nullable=True),
    Index("ix_events_job", "job_id", "sequence"),
    # The database itself holds "exactly one outcome a run".
    Index(
        "uq_events_outcome",
        "job_id",
        "run",
        unique=True,
        postgresql_where=text("kind in ('job.succeeded', 'job.failed', 'job.canceled')"),
    ),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("topic", Text, nullable=False),
    Column("subject", Uuid, nullable=False),
    Column("priority", Text, nullable=False),
    Column("sends", Integer, nullable=False),
    moment("send_after"),
    moment("created_at", now=True),
    UniqueConstraint("topic", "subject"),
    Index("ix_outbox_due", "topic", "send_after"),
)
