"""accounts, sessions, failed log-ins; whose job it is, consent, words to search by"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _create_accounts()
    _create_sessions()
    _create_login_attempts()
    _extend_jobs()
    op.add_column("audit_lines", sa.Column("account_id", sa.Uuid(), nullable=True))
    op.create_index("ix_audit_lines_client", "audit_lines", ["client_id", "id"])


def _moment(name: str, *, nullable: bool = False, now: bool = False) -> "sa.Column[object]":
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable)


def _create_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        _moment("created_at", now=True),
        _moment("last_login_at", nullable=True),
        _moment("disabled_at", nullable=True),
        sa.CheckConstraint("role in ('operator', 'data_scientist', 'administrator')", name=op.f("ck_accounts_role")),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_accounts_client_id_clients")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("email", name=op.f("uq_accounts_email")),
    )
    op.create_index("ix_accounts_client", "accounts", ["client_id", "email"])


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        _moment("created_at", now=True),
        _moment("last_seen_at", now=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_sessions_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_account", "sessions", ["account_id"])
    op.create_index("ix_sessions_last_seen", "sessions", ["last_seen_at"])


def _create_login_attempts() -> None:
    op.create_table(
        "login_attempts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("email_hash", sa.LargeBinary(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        _moment("at", now=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_attempts")),
    )
    op.create_index("ix_login_attempts_email", "login_attempts", ["email_hash", "at"])
    op.create_index("ix_login_attempts_address", "login_attempts", ["address", "at"])
    op.create_index("ix_login_attempts_at", "login_attempts", ["at"])


def _extend_jobs() -> None:
    op.add_column("jobs", sa.Column("account_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_jobs_account_id_accounts"), "jobs", "accounts", ["account_id"], ["id"], ondelete="SET NULL"
    )
    op.add_column("jobs", sa.Column("training_consent", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column(
        "jobs",
        sa.Column("search", postgresql.TSVECTOR(), server_default=sa.text("''::tsvector"), nullable=False),
    )
    # Jobs from before can be found by the words of their file names.
    op.execute(
        "update jobs set search = array_to_tsvector(array_remove("
        "regexp_split_to_array(lower(documents.filename), '[^[:alnum:]]+'), '')) "
        "from documents where documents.id = jobs.document_id and documents.filename is not null"
    )
    for name, column in (("verdict", "verdict"), ("account", "account_id"), ("count", "signature_count")):
        op.create_index(f"ix_jobs_client_{name}", "jobs", ["client_id", column, "id"])
    op.create_index("ix_jobs_search", "jobs", ["search"], postgresql_using="gin")
