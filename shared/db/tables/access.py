"""Who may do what through the API, and the record of what was done."""

from sqlalchemy import ARRAY, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.tables.columns import id_column, metadata, moment

clients = Table(
    "clients",
    metadata,
    id_column(),
    Column("name", Text, nullable=False, unique=True),
    # Not hashed: it signs what we send, so we must hold it. Standard Webhooks' "whsec_…" form.
    Column("webhook_secret", Text, nullable=False),
    # After a rotation both sign, so that a receiver may change over in its own time.
    Column("previous_webhook_secret", Text),
    moment("previous_secret_until", nullable=True),
    moment("created_at", now=True),
)

api_keys = Table(
    "api_keys",
    metadata,
    id_column(),
    Column("client_id", Uuid, ForeignKey("clients.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("secret_hash", LargeBinary, nullable=False, unique=True),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("requests_per_minute", Integer, nullable=False),
    moment("created_at", now=True),
    moment("revoked_at", nullable=True),
)

audit_lines = Table(
    "audit_lines",
    metadata,
    id_column(),
    moment("at", now=True),
    Column("client_id", Uuid, ForeignKey("clients.id")),
    Column("key_id", Uuid),
    Column("account_id", Uuid),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
    Index("ix_audit_lines_client", "client_id", "id"),
)
