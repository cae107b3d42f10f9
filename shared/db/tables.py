"""Every table, in one place. The migrations build exactly this; a test compares the two."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id(name: str = "id") -> "Column[object]":
    return Column(name, Uuid, primary_key=True)


def _moment(name: str, *, nullable: bool = False, now: bool = False) -> "Column[object]":
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=func.now() if now else None)


_TONES = "tone in ('bilevel', 'grey', 'colour')"

clients = Table(
    "clients",
    metadata,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    # Not hashed: it signs what we send, so we must hold it. Standard Webhooks' "whsec_…" form.
    Column("webhook_secret", Text, nullable=False),
    # After a rotation both sign, so that a receiver may change over in its own time.
    Column("previous_webhook_secret", Text),
    _moment("previous_secret_until", nullable=True),
    _moment("created_at", now=True),
)

api_keys = Table(
    "api_keys",
    metadata,
    _id(),
    Column("client_id", Uuid, ForeignKey("clients.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("secret_hash", LargeBinary, nullable=False, unique=True),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("requests_per_minute", Integer, nullable=False),
    _moment("created_at", now=True),
    _moment("revoked_at", nullable=True),
)

documents = Table(
    "documents",
    metadata,
    _id(),
    Column("client_id", Uuid, ForeignKey("clients.id"), nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("filename", Text),
    _moment("created_at", now=True),
)

uploads = Table(
    "uploads",
    metadata,
    _id(),
    Column("client_id", Uuid, ForeignKey("clients.id"), nullable=False),
    Column("filename", Text),
    _moment("created_at", now=True),
    _moment("expires_at"),
)

jobs = Table(
    "jobs",
    metadata,
    _id(),
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
    _moment("lease_expires_at", nullable=True),
    _moment("created_at", now=True),
    _moment("queued_at", now=True),
    _moment("started_at", nullable=True),
    _moment("finished_at", nullable=True),
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

events = Table(
    "events",
    metadata,
    _id(),
    Column("sequence", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    # No foreign key: the line that says a job was erased outlives the job.
    Column("job_id", Uuid, nullable=False),
    Column("client_id", Uuid, ForeignKey("clients.id"), nullable=False),
    Column("run", Integer, nullable=False),
    _moment("occurred_at", now=True),
    Column("data", JSONB, nullable=False),
    _moment("recorded_at", nullable=True),
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
    _moment("send_after"),
    _moment("created_at", now=True),
    UniqueConstraint("topic", "subject"),
    Index("ix_outbox_due", "topic", "send_after"),
)

audit_lines = Table(
    "audit_lines",
    metadata,
    _id(),
    _moment("at", now=True),
    Column("client_id", Uuid, ForeignKey("clients.id")),
    Column("key_id", Uuid),
    Column("account_id", Uuid),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
    Index("ix_audit_lines_client", "client_id", "id"),
)

deliveries = Table(
    "deliveries",
    metadata,
    _id(),
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
    _moment("next_attempt_at"),
    _moment("created_at", now=True),
    _moment("finished_at", nullable=True),
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
    _id(),
    Column("delivery_id", Uuid, ForeignKey("deliveries.id", ondelete="CASCADE"), nullable=False),
    _moment("at", now=True),
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
    _moment("disabled_at", now=True),
)

# What people say of pages beside the model, and who looks at which page right now.

corrections = Table(
    "corrections",
    metadata,
    Column("job_id", Uuid, primary_key=True),
    Column("page_number", Integer, primary_key=True),
    # Saving again adds a version; the highest is in force, and the key refuses two of the same number.
    Column("version", Integer, primary_key=True),
    # No foreign key: an account or a key may be deleted, and what its owner did stays.
    Column("author_id", Uuid, nullable=False),
    Column("author_name", Text, nullable=False),
    _moment("saved_at", now=True),
    Column("boxes", JSONB, nullable=False),
    Column("no_signature", Boolean, nullable=False),
    ForeignKeyConstraint(["job_id", "page_number"], ["job_pages.job_id", "job_pages.number"], ondelete="CASCADE"),
    Index("ix_corrections_author", "author_id", "saved_at"),
)

corrected_results = Table(
    "corrected_results",
    metadata,
    Column("job_id", Uuid, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("verdict", Text, nullable=False),
    Column("signature_count", Integer, nullable=False),
    Column("requirement_outcomes", JSONB, nullable=False),
    _moment("corrected_at", now=True),
)

review_claims = Table(
    "review_claims",
    metadata,
    Column("job_id", Uuid, primary_key=True),
    Column("page_number", Integer, primary_key=True),
    Column("holder", Uuid, nullable=False),
    _moment("expires_at"),
    ForeignKeyConstraint(["job_id", "page_number"], ["job_pages.job_id", "job_pages.number"], ondelete="CASCADE"),
    Index("ix_review_claims_holder", "holder"),
)

# Detector workers, as each writes of itself with every heartbeat; no foreign keys, for nothing hangs on them.
workers = Table(
    "workers",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("threads", Integer, nullable=False),
    Column("jobs", ARRAY(Uuid), nullable=False),
    _moment("started_at", now=True),
    _moment("seen_at", now=True),
)

# --- people: accounts, their sessions, failed log-ins ---

accounts = Table(
    "accounts",
    metadata,
    _id(),
    Column("client_id", Uuid, ForeignKey("clients.id"), nullable=False),
    # Lower case: people do not remember how they wrote it.
    Column("email", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("language", Text),
    _moment("created_at", now=True),
    _moment("last_login_at", nullable=True),
    _moment("disabled_at", nullable=True),
    CheckConstraint("role in ('operator', 'data_scientist', 'administrator')", name="role"),
    Index("ix_accounts_client", "client_id", "email"),
)

sessions = Table(
    "sessions",
    metadata,
    # The cookie's value is 256 random bits; the database holds its hash, as with keys.
    Column("token_hash", LargeBinary, primary_key=True),
    Column("account_id", Uuid, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    _moment("created_at", now=True),
    _moment("last_seen_at", now=True),
    Index("ix_sessions_account", "account_id"),
    Index("ix_sessions_last_seen", "last_seen_at"),
)

login_attempts = Table(
    "login_attempts",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("email_hash", LargeBinary, nullable=False),
    Column("address", Text, nullable=False),
    _moment("at", now=True),
    Index("ix_login_attempts_email", "email_hash", "at"),
    Index("ix_login_attempts_address", "address", "at"),
    Index("ix_login_attempts_at", "at"),
)

# --- notifications: who is told of what, what went wrong, what Alertmanager said ---

subscriptions = Table(
    "subscriptions",
    metadata,
    _id(),
    Column("client_id", Uuid, ForeignKey("clients.id"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("kinds", ARRAY(Text), nullable=False),
    Column("language", Text, nullable=False),
    _moment("created_at", now=True),
    CheckConstraint("(channel = 'email') = (url like 'mailto:%')", name="channel"),
    UniqueConstraint("client_id", "url"),
)

# Single critical errors: raised at Alertmanager while unresolved, mailed to administrators.
incidents = Table(
    "incidents",
    metadata,
    _id(),
    Column("kind", Text, nullable=False),
    Column("code", Text, nullable=False),
    # The job or the delivery that came to grief.
    Column("subject", Uuid, nullable=False),
    Column("detail", Text, nullable=False),
    _moment("raised_at", now=True),
    _moment("resolved_at", nullable=True),
    # Alertmanager has been told of the resolution.
    _moment("closed_at", nullable=True),
    Index("ix_incidents_open", "kind", "code", "raised_at", postgresql_where=text("closed_at is null")),
    Index("ix_incidents_raised", "kind", "code", "raised_at"),
)

# What Alertmanager tells us: every alert it routes here, the newest word on it.
alerts = Table(
    "alerts",
    metadata,
    _id(),
    Column("fingerprint", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("labels", JSONB, nullable=False),
    Column("annotations", JSONB, nullable=False),
    _moment("starts_at"),
    _moment("ends_at", nullable=True),
    _moment("received_at", now=True),
    CheckConstraint("state in ('firing', 'resolved')", name="state"),
    UniqueConstraint("fingerprint", "starts_at"),
    Index("ix_alerts_firing", "id", postgresql_where=text("state = 'firing'")),
)

# --- what is measured of models ---

# One line an hour in which a model version had results. Small, and never erased: drift is seen against the weeks
# before, also where jobs stay for days only.
model_hours = Table(
    "model_hours",
    metadata,
    Column("model", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("hour", DateTime(timezone=True), primary_key=True),
    Column("pages", Integer, nullable=False),
    # Pages that people changed within the hour, whenever they were examined.
    Column("changed_pages", Integer, nullable=False),
    # Signatures found, by tenths of confidence.
    Column("confidences", ARRAY(Integer), nullable=False),
    Index("ix_model_hours_hour", "hour"),
)

# Backups that were made, written once each is whole: `made_at` is the moment it holds.
backups = Table(
    "backups",
    metadata,
    _id(),
    _moment("made_at"),
    _moment("finished_at", now=True),
    Column("jobs", BigInteger, nullable=False),
    Column("objects", BigInteger, nullable=False),
    # Of the dump and the listing; the objects themselves are not in a backup.
    Column("bytes", BigInteger, nullable=False),
)
