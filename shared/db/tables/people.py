"""People: accounts, their sessions, failed log-ins."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Identity, Index, LargeBinary, Table, Text, Uuid

from shared.db.tables.columns import id_column, metadata, moment

accounts = Table(
    "accounts",
    metadata,
    id_column(),
    Column("client_id", Uuid, ForeignKey("clients.id"), nullable=False),
    # Lower case: people do not remember how they wrote it.
    Column("email", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("language", Text),
    moment("created_at", now=True),
    moment("last_login_at", nullable=True),
    moment("disabled_at", nullable=True),
    CheckConstraint("role in ('operator', 'data_scientist', 'administrator')", name="role"),
    Index("ix_accounts_client", "client_id", "email"),
)

sessions = Table(
    "sessions",
    metadata,
    # The cookie's value is 256 random bits; the database holds its hash, as with keys.
    Column("token_hash", LargeBinary, primary_key=True),
    Column("account_id", Uuid, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    moment("created_at", now=True),
    moment("last_seen_at", now=True),
    Index("ix_sessions_account", "account_id"),
    Index("ix_sessions_last_seen", "last_seen_at"),
)

login_attempts = Table(
    "login_attempts",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("email_hash", LargeBinary, nullable=False),
    Column("address", Text, nullable=False),
    moment("at", now=True),
    Index("ix_login_attempts_email", "email_hash", "at"),
    Index("ix_login_attempts_address", "address", "at"),
    Index("ix_login_attempts_at", "at"),
)
