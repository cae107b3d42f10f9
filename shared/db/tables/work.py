"""Documents, the jobs that examine them, and what was found."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

from shared.db.tables.columns import id_column, metadata, moment

_TONES = "tone in ('bilevel', 'grey', 'colour')"

documents = Table(
    "documents",
    metadata,
    id_column(),
    Column("client_id", Uuid, ForeignKey("clients.id"), nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("filename", Text),
    moment("created_at", now=True),
)

uploads = Table(
    "uploads",
    metadata,
    id_column(),
    Column("client_id", Uuid, ForeignKey("clients.id"), nullable=False),
    Column("filename", Text),
    moment("created_at", now=True),
    moment("expires_at"),
)

jobs = Table(
    "jobs",
    metadata,
    id_column(),
    Column("client_id", Uuid, ForeignKey("clients.id"), nullable=False),
    Column("document_id", Uuid, ForeignKey("documents.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("requirements", JSONB, nullable=False),
    Column("metadata", JSONB, nullable=False),
    Column("callback_url", Text),
    Column("request_id", Text),
    Column("idempotency_key", Text),
    Column("idempotency_fingerprint", Text),
    # A replay starts a new run; an outcome belongs to one run.
    Column("run", Integer, nullable=False, server_default=text("1")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("max_attempts", Integer, nullable=False),
    Column("lease_token", Uuid),
    moment("lease_expires_at", nullable=True),
    moment("created_at", now=True),
    moment("queued_at", now=True),
    moment("started_at", nullable=True),
    moment("finished_at", nullable=True),
    Column("error_code", Text),
    Column("error_detail", Text),
    Column("verdict", Text),
    Column("signature_count", Integer),
    Column("requirement_outcomes", JSONB),
    Column("model_version", Text),
    Column("timings", JSONB),
    # Of the most colourful page; null for results from before it was measured.
    Column("tone", Text),
    # Who submitted it in the browser; jobs that came with an API key have none.
    Column("account_id", Uuid, ForeignKey("accounts.id", ondelete="SET NULL")),
    Column("training_consent", Boolean, nullable=False, server_default=text("false")),
    # Words of file name and metadata: see shared.domain.search_words.
    Column("search", TSVECTOR, nullable=False, server_default=text("''::tsvector")),
    CheckConstraint("state in ('queued', 'processing', 'succeeded', 'failed', 'canceled')", name="state"),
    CheckConstraint("(state = 'processing') = (lease_token is not null)", name="lease"),
    CheckConstraint("(state = 'failed') = (error_code is not null)", name="error"),
    CheckConstraint("(state = 'succeeded') = (verdict is not null)", name="verdict"),
    CheckConstraint(_TONES, name="tone"),
    Index("uq_jobs_idempotency", "client_id", "idempotency_key", unique=True),
    # A client's list, newest first, with the usual filters; ids sort by time.
    Index("ix_jobs_client", "client_id", "id"),
    Index("ix_jobs_client_state", "client_id", "state", "id"),
    Index("ix_jobs_client_verdict", "client_id", "verdict", "id"),
    Index("ix_jobs_client_account", "client_id", "account_id", "id"),
    Index("ix_jobs_client_count", "client_id", "signature_count", "id"),
    Index("ix_jobs_client_model", "client_id", "model", "id"),
    Index("ix_jobs_client_tone", "client_id", "tone", "id"),
    Index("ix_jobs_search", "search", postgresql_using="gin"),
    Index("ix_jobs_metadata", "metadata", postgresql_using="gin"),
    Index("ix_jobs_lease", "lease_expires_at", postgresql_where=text("state = 'processing'")),
    Index("ix_jobs_waiting", "queued_at", postgresql_where=text("state = 'queued'")),
    Index("ix_jobs_review", "client_id", "id", postgresql_where=text("verdict = 'review'")),
)

job_pages = Table(
    "job_pages",
    metadata,
    Column("job_id", Uuid, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("tone", Text),
    CheckConstraint(_TONES, name="tone"),
)

detections = Table(
    "detections",
    metadata,
    Column("job_id", Uuid, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("page_number", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("confidence", Double, nullable=False),
    Column("x", Double, nullable=False),
    Column("y", Double, nullable=False),
    Column("width", Double, nullable=False),
    Column("height", Double, nullable=False),
)
